//! What an S3 client does all day: objects in buckets, and the errors it has to tell apart.

use std::collections::HashMap;

use reqwest::Method;
use reqwest::header::HeaderMap;
use s3::Bucket;

use crate::cloud::{Cloud, Home, credentials, noise, refusal, within};

async fn cloud_with(bucket: &str) -> (Home, Cloud, Box<Bucket>) {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let bucket = cloud.create_bucket(bucket).await.expect("a bucket");
    (home, cloud, bucket)
}

#[tokio::test]
async fn an_object_is_put_read_copied_and_deleted() {
    let (_home, cloud, bucket) = cloud_with("objects").await;
    let content = noise(1, 100_000);
    let put = bucket.put_object_with_content_type("a/b c", &content, "text/x").await.expect("put");
    assert_eq!(put.status_code(), 200);

    let got = bucket.get_object("a/b c").await.expect("get");
    assert_eq!(got.as_slice(), content);
    assert_eq!(got.headers()["content-type"], "text/x");
    assert_eq!(got.headers()["etag"], put.headers()["etag"]);
    let range = bucket.get_object_range("a/b c", 500, Some(70_000)).await.expect("range");
    assert_eq!(range.status_code(), 206);
    assert_eq!(range.as_slice(), &content[500..=70_000]);
    let (head, _) = bucket.head_object("a/b c").await.expect("head");
    assert_eq!(head.content_length, Some(100_000));

    assert_eq!(bucket.copy_object_internal("a/b c", "copy").await.expect("copy"), 200);
    let copy = bucket.get_object("copy").await.expect("the copy");
    assert_eq!(copy.as_slice(), content);
    assert_eq!(copy.headers()["content-type"], "text/x");

    bucket.put_object("a/b c", b"other").await.expect("overwrite");
    assert_eq!(bucket.get_object("a/b c").await.expect("get").as_slice(), b"other");
    assert_eq!(bucket.get_object("copy").await.expect("the copy").as_slice(), content);

    for key in ["a/b c", "copy"] {
        assert_eq!(bucket.delete_object(key).await.expect("delete").status_code(), 204);
        assert_eq!(refusal(bucket.get_object(key).await), (404, "NoSuchKey".to_owned()));
    }
    assert_eq!(bucket.delete().await.expect("the bucket is empty"), 204);
    assert_eq!(cloud.stop().await, Some(0));
}

#[tokio::test]
async fn sixty_four_mebibytes_go_up_in_parts_and_come_down_the_same() {
    let (_home, _cloud, bucket) = cloud_with("large").await;
    let content = noise(2, 64 << 20);
    let mut reader = content.as_slice();
    let upload = bucket.put_object_stream(&mut reader, "large");
    let put = within("the upload", upload).await.expect("the upload");
    assert_eq!(put.uploaded_bytes(), content.len());
    let got = within("the download", bucket.get_object("large")).await.expect("the download");
    assert!(got.as_slice() == content, "the bytes differ");
    assert!(got.headers()["etag"].trim_matches('"').ends_with("-8"), "{:?}", got.headers());
    let (from, to) = ((8 << 20) - 3, (8 << 20) + 3);
    let range = bucket.get_object_range("large", from, Some(to)).await.expect("range");
    assert_eq!(range.as_slice(), &content[from as usize..=to as usize]);
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let (_home, _cloud, bucket) = cloud_with("pages").await;
    let keys: Vec<String> = (0..25).map(|n| format!("in/{n:02}")).collect();
    for key in keys.iter().map(String::as_str).chain(["out"]) {
        bucket.put_object(key, b"x").await.expect("put");
    }
    let (mut seen, mut pages, mut token) = (Vec::new(), 0, None);
    loop {
        let page = bucket.list_page("in/".into(), None, token, None, Some(10)).await;
        let (page, _) = page.expect("a page");
        assert!(page.contents.len() <= 10);
        seen.extend(page.contents.into_iter().map(|object| object.key));
        pages += 1;
        token = page.next_continuation_token;
        if token.is_none() {
            assert!(!page.is_truncated);
            break;
        }
    }
    assert_eq!((pages, seen), (3, keys));

    let top = bucket.list(String::new(), Some("/".into())).await.expect("a list");
    let prefixes = top.iter().flat_map(|page| page.common_prefixes.iter().flatten());
    let prefixes: Vec<&str> = prefixes.map(|prefix| prefix.prefix.as_str()).collect();
    assert_eq!(prefixes, ["in/"]);
}

#[tokio::test]
async fn a_list_is_encoded_when_that_is_asked_for() {
    let (_home, _cloud, bucket) = cloud_with("encoded").await;
    for key in ["in/a+b", "in/a%20b", "in+/k"] {
        bucket.put_object(key, b"x").await.expect("put");
    }
    let listed = async |bucket: &Bucket| {
        let pages = bucket.list("in".into(), Some("/".into())).await.expect("a list");
        let below = bucket.list("in/".into(), None).await.expect("a list");
        let prefixes = pages.iter().flat_map(|page| page.common_prefixes.iter().flatten());
        let keys = below.iter().flat_map(|page| &page.contents);
        let prefixes = prefixes.map(|prefix| prefix.prefix.clone());
        prefixes.chain(keys.map(|object| object.key.clone())).collect::<Vec<String>>()
    };
    assert_eq!(listed(&bucket).await, ["in+/", "in/", "in/a%20b", "in/a+b"]);
    let url = HashMap::from([("encoding-type".to_owned(), "url".to_owned())]);
    let encoded = bucket.with_extra_query(url).expect("a bucket");
    assert_eq!(listed(&encoded).await, ["in%2B/", "in/", "in/a%2520b", "in/a%2Bb"]);
}

#[tokio::test]
async fn a_presigned_url_works_without_credentials_until_it_is_changed() {
    let (_home, cloud, bucket) = cloud_with("signed").await;
    let put = bucket.presign_put("k", 600, None, None).await.expect("a URL");
    let http = crate::cloud::client();
    let response = http.put(&put).body("content").send().await.expect("an answer");
    assert_eq!(response.status(), 200);

    let get = bucket.presign_get("k", 600, None).await.expect("a URL");
    let response = http.get(&get).send().await.expect("an answer");
    assert_eq!(response.text().await.expect("text"), "content");

    let other = get.replace("/signed/k", "/signed/other");
    let response = http.get(&other).send().await.expect("an answer");
    assert_eq!(response.status(), 403);
    assert!(response.text().await.expect("text").contains("<Code>SignatureDoesNotMatch</Code>"));

    let delete = bucket.presign_delete("k", 600).await.expect("a URL");
    let response = http.delete(&delete).send().await.expect("an answer");
    assert_eq!(response.status(), 204);
    let response = cloud.request(Method::GET, "/signed/k").send().await.expect("an answer");
    assert_eq!(response.status(), 403, "nothing is public");
}

#[tokio::test]
async fn what_is_missing_is_named_by_its_error() {
    let (_home, cloud, bucket) = cloud_with("here").await;
    let none = cloud.bucket("not-here");
    assert_eq!(refusal(bucket.get_object("none").await), (404, "NoSuchKey".to_owned()));
    assert_eq!(refusal(none.get_object("none").await), (404, "NoSuchBucket".to_owned()));
    assert_eq!(refusal(none.put_object("k", b"").await), (404, "NoSuchBucket".to_owned()));
    let list = none.list(String::new(), None).await;
    assert_eq!(refusal(list), (404, "NoSuchBucket".to_owned()));
    let copy = bucket.copy_object_internal("none", "copy").await;
    assert_eq!(refusal(copy), (404, "NoSuchKey".to_owned()));
    let again = cloud.create_bucket("here").await;
    assert_eq!(refusal(again), (409, "BucketAlreadyOwnedByYou".to_owned()));

    bucket.put_object("k", b"x").await.expect("put");
    assert_eq!(refusal(bucket.delete().await), (409, "BucketNotEmpty".to_owned()));
    assert_eq!(bucket.get_object("k").await.expect("it is still there").as_slice(), b"x");
    for outside in ["../../lock", "a/../../../lock"] {
        let status = refusal(bucket.put_object(outside, b"x").await).0;
        assert!((400..500).contains(&status), "{outside}: {status}");
    }
}

#[tokio::test]
async fn a_signature_has_to_be_right() {
    let home = Home::new();
    let flags = ["--access-key", "me", "--secret-key", "hush-hush"];
    let cloud = home.serve(&flags).await;
    let list = async |key: &str, secret: &str| {
        let buckets = Bucket::list_buckets(cloud.region(), credentials(key, secret));
        within("a list", buckets).await
    };
    list("me", "hush-hush").await.expect("the right one");
    assert_eq!(refusal(list("me", "hush").await), (403, "SignatureDoesNotMatch".to_owned()));
    assert_eq!(refusal(list("test", "test").await), (403, "InvalidAccessKeyId".to_owned()));
    assert!(!home.log().contains("hush-hush"), "the secret is in the log");
}

#[tokio::test]
async fn a_write_with_a_wrong_digest_leaves_the_object_as_it_was() {
    let (_home, _cloud, bucket) = cloud_with("digests").await;
    bucket.put_object_with_content_type("k", b"good", "text/good").await.expect("put");
    let url = bucket.presign_put("k", 600, None, None).await.expect("a URL");
    let of_nothing = "1B2M2Y8AsgTpgAmY7PhCfg==";
    let put = crate::cloud::client().put(url).header("content-md5", of_nothing).body("bad");
    let refused = put.send().await.expect("an answer");
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.expect("text").contains("<Code>BadDigest</Code>"));
    let got = bucket.get_object("k").await.expect("get");
    assert_eq!(got.as_slice(), b"good");
    assert_eq!(got.headers()["content-type"], "text/good");
}

#[tokio::test]
async fn a_write_may_ask_for_what_is_there() {
    let (_home, _cloud, bucket) = cloud_with("conditions").await;
    let put = async |content: &[u8], name: &'static str, value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a value"));
        bucket.put_object_with_headers("k", content, Some(headers)).await
    };
    let first = put(b"1", "if-none-match", "*").await.expect("it is new");
    let refused = put(b"2", "if-none-match", "*").await;
    assert_eq!(refusal(refused), (412, "PreconditionFailed".to_owned()));
    let tag = first.headers()["etag"].clone();
    put(b"3", "if-match", &tag).await.expect("it is the first");
    assert_eq!(refusal(put(b"4", "if-match", &tag).await), (412, "PreconditionFailed".to_owned()));
    assert_eq!(bucket.get_object("k").await.expect("get").as_slice(), b"3");
}

#[tokio::test]
async fn a_read_may_ask_for_what_is_there() {
    let (_home, cloud, bucket) = cloud_with("reads").await;
    let put = bucket.put_object("k", b"content").await.expect("put");
    let tag = put.headers()["etag"].clone();
    let url = bucket.presign_get("k", 600, None).await.expect("a URL");
    let path = &url[url.find("/reads/").expect("the bucket")..];
    let read = async |name: &str, value: &str| {
        let response = cloud.request(Method::GET, path).header(name, value).send().await;
        let response = response.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("text"))
    };
    assert_eq!(read("if-match", &tag).await, (200, "content".to_owned()));
    assert_eq!(read("if-none-match", "\"other\"").await, (200, "content".to_owned()));
    assert_eq!(read("if-none-match", &tag).await, (304, String::new()));
    let (status, refused) = read("if-match", "\"other\"").await;
    assert_eq!(status, 412);
    assert!(refused.contains("<Code>PreconditionFailed</Code>"), "{refused}");
}

#[tokio::test]
async fn of_many_writes_that_ask_for_nothing_to_be_there_one_succeeds() {
    let (_home, _cloud, bucket) = cloud_with("races").await;
    let contents: Vec<Vec<u8>> = (0..16).map(|n| noise(n, 1000)).collect();
    let puts = contents.iter().map(async |content| {
        let mut headers = HeaderMap::new();
        headers.insert("if-none-match", "*".parse().expect("a value"));
        bucket.put_object_with_headers("k", content, Some(headers)).await
    });
    let answers = futures::future::join_all(puts).await;
    let (mut winners, mut refused) = (Vec::new(), 0);
    for (answer, content) in answers.into_iter().zip(&contents) {
        match answer {
            Ok(_) => winners.push(content),
            other => {
                assert_eq!(refusal(other), (412, "PreconditionFailed".to_owned()));
                refused += 1;
            }
        }
    }
    assert_eq!((winners.len(), refused), (1, 15));
    assert_eq!(bucket.get_object("k").await.expect("get").as_slice(), winners[0].as_slice());
}

#[tokio::test]
async fn what_is_not_kept_is_refused_and_changes_nothing() {
    let (_home, _cloud, bucket) = cloud_with("plain").await;
    bucket.put_object("k", b"only").await.expect("put");
    let not_implemented = (501, "NotImplemented".to_owned());
    let version = HashMap::from([("versionId".to_owned(), "another".to_owned())]);
    let of_version = bucket.with_extra_query(version).expect("a bucket");
    assert_eq!(refusal(of_version.get_object("k").await), not_implemented);
    assert_eq!(refusal(of_version.delete_object("k").await), not_implemented);
    let tags = HeaderMap::from_iter([(
        "x-amz-tagging".parse().expect("a name"),
        "a=b".parse().expect("a value"),
    )]);
    let put = bucket.put_object_with_headers("k", b"tagged", Some(tags)).await;
    assert_eq!(refusal(put), not_implemented);
    assert_eq!(bucket.get_object("k").await.expect("get").as_slice(), b"only");
}

#[tokio::test]
async fn a_key_is_free_again_when_no_object_is_left_below_it() {
    let (_home, _cloud, bucket) = cloud_with("folders").await;
    bucket.put_object("a/b/c", b"below").await.expect("put");
    let refused = refusal(bucket.put_object("a", b"above").await);
    assert_eq!(refused, (400, "InvalidRequest".to_owned()));
    bucket.delete_object("a/b/c").await.expect("delete");
    bucket.put_object("a", b"above").await.expect("put");
    assert_eq!(bucket.get_object("a").await.expect("get").as_slice(), b"above");
}

#[tokio::test]
async fn a_bucket_may_have_a_short_name_and_a_host_of_its_own() {
    let (_home, cloud, bucket) = cloud_with("b").await;
    let url = bucket.presign_get("k", 600, Some(HashMap::new())).await.expect("a URL");
    bucket.put_object("k", b"short").await.expect("put");
    let list = Bucket::list_buckets(cloud.region(), credentials("test", "test")).await;
    let names: Vec<String> = list.expect("a list").bucket_names().collect();
    assert_eq!(names, ["b"]);
    let http = crate::cloud::client();
    let response = http.get(&url).send().await.expect("an answer");
    assert_eq!(response.text().await.expect("text"), "short");
    // Signed for another host, so refused; but as a request for the object, not for a service.
    let host = format!("b.localhost:{}", cloud.address.port());
    let response = cloud.request(Method::GET, "/k").header("host", host);
    let text = response.send().await.expect("an answer").text().await.expect("text");
    assert!(text.contains("<Code>AccessDenied</Code>"), "{text}");
}
