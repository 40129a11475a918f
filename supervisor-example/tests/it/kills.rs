//! kill -9 while objects are written: what was answered is there afterwards, or what was being
//! written when the process died, each whole and with its own side files.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::{join, join_all};
use s3::Bucket;
use s3::error::S3Error;

use crate::cloud::{Home, noise, until};

const ROUNDS: usize = 6;
/// How many keys are overwritten by a put, and after those by an upload in parts.
const PUT: usize = 8;
const IN_PARTS: usize = 2;

/// One key: the version that was last answered, and the one that may have been interrupted.
#[derive(Debug, Default, Clone, Copy)]
struct Key {
    answered: Option<usize>,
    tried: Option<usize>,
}

/// What a version consists of: one piece, or two for the last key, of which the first is as long as
/// a part has to be.
fn pieces(key: usize, version: usize) -> Vec<Vec<u8>> {
    // Lengths differ, so that a mixture of two versions shows.
    let seed = (key * 1_000_003 + version) as u64;
    let last = noise(seed, 1000 + (version * 7919) % 20_000);
    if key == PUT + 1 { vec![noise(seed, 5 << 20), last] } else { vec![last] }
}

/// The content type is kept in one side file, the ETag in another.
fn content_type(version: usize) -> String {
    format!("text/v{version}")
}

/// The ETag that S3 gives to a version.
fn etag(key: usize, version: usize) -> String {
    let pieces = pieces(key, version);
    if key < PUT {
        return md5(&pieces.concat());
    }
    let sums: String = pieces.iter().map(|piece| md5(piece)).collect();
    let digits = sums.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).expect("hexadecimal"));
    let bytes: Vec<u8> =
        digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect();
    format!("{}-{}", md5(&bytes), pieces.len())
}

/// As the client computes it, which is of a file.
fn md5(bytes: &[u8]) -> String {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    s3::utils::etag_for_path(file.path()).expect("a sum")
}

/// Writes versions of one key until the process is gone.
async fn overwrite(bucket: &Bucket, at: usize, key: &mut Key, answers: &AtomicUsize) {
    loop {
        let version = key.tried.map_or(0, |tried| tried + 1);
        key.tried = Some(version);
        if write(bucket, at, version).await.is_err() {
            return;
        }
        key.answered = Some(version);
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

async fn write(bucket: &Bucket, key: usize, version: usize) -> Result<(), S3Error> {
    let (name, content_type) = (format!("key-{key}"), content_type(version));
    let pieces = pieces(key, version);
    if key < PUT {
        bucket.put_object_with_content_type(name, &pieces[0], &content_type).await?;
        return Ok(());
    }
    let upload = bucket.initiate_multipart_upload(&name, &content_type).await?.upload_id;
    let mut parts = Vec::new();
    for (number, piece) in (1..).zip(pieces) {
        let part = bucket.put_multipart_chunk(piece, &name, number, &upload, &content_type);
        parts.push(part.await?);
    }
    bucket.complete_multipart_upload(&name, &upload, parts).await?;
    Ok(())
}

/// Reads a key and says which version it is, having checked that all of it is of that version.
async fn version(bucket: &Bucket, at: usize, key: Key) -> Option<usize> {
    let name = format!("key-{at}");
    let got = match bucket.get_object(&name).await {
        Ok(got) => got,
        Err(error) if key.answered.is_none() => {
            assert!(error.to_string().contains("NoSuchKey"), "{name}: {error}");
            return None;
        }
        Err(error) => panic!("{name}, {key:?}: {error}"),
    };
    let is = |version: &usize| got.as_slice() == pieces(at, *version).concat();
    let version = [key.tried, key.answered].into_iter().flatten().find(is);
    let Some(version) = version else { panic!("{name} is no version that was written: {key:?}") };
    assert_eq!(got.headers()["content-type"], content_type(version), "{name}: {key:?}");
    assert_eq!(got.headers()["etag"].trim_matches('"'), etag(at, version), "{name}: {key:?}");
    Some(version)
}

#[tokio::test]
async fn what_was_answered_outlives_any_kill() {
    let home = Home::new();
    let mut keys = [Key::default(); PUT + IN_PARTS];
    let mut once: Vec<String> = Vec::new();
    for round in 0..=ROUNDS {
        let cloud = home.serve(&[]).await;
        let bucket = match round {
            0 => cloud.create_bucket("kills").await.expect("a bucket"),
            _ => cloud.bucket("kills"),
        };
        for (at, key) in keys.iter_mut().enumerate() {
            key.answered = version(&bucket, at, *key).await;
        }
        for name in &once {
            let got = bucket.get_object(name).await.expect("it was written once");
            assert_eq!(got.as_slice(), name.as_bytes());
        }
        if round == ROUNDS {
            assert_eq!(cloud.stop().await, Some(0));
            return;
        }
        let answers = AtomicUsize::new(0);
        let writers = keys.iter_mut().enumerate();
        let writers = join_all(writers.map(|(at, key)| overwrite(&bucket, at, key, &answers)));
        let single = async {
            for n in 0.. {
                let name = format!("once-{round}-{n}");
                if bucket.put_object(&name, name.as_bytes()).await.is_err() {
                    return;
                }
                once.push(name);
            }
        };
        // Another moment each time: after so many answers, wherever the other writers are then.
        let enough = 30 + 13 * round;
        let killer = async {
            let answered = async || (answers.load(Ordering::Relaxed) >= enough).then_some(());
            until("the answers", answered).await;
            cloud.kill().await;
        };
        join(join(writers, single), killer).await;
    }
}
