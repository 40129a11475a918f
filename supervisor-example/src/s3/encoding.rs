//! Lists whose keys are URL-encoded, as most clients ask for: a key may have characters that XML
//! has not.
//!
//! The trap: s3s-fs says that it has encoded the keys, and has not; a client then decodes them all
//! the same, and finds a space where a key has a plus.

use s3s::dto::{CommonPrefix, EncodingType, ListObjectsOutput, ListObjectsV2Output, Object};

/// Encodes what a list names, if it says that it does.
pub(super) fn encode_list(list: &mut ListObjectsOutput) {
    if is_encoded(list.encoding_type.as_ref()) {
        let names =
            [&mut list.prefix, &mut list.marker, &mut list.delimiter, &mut list.next_marker];
        encode_names(names, &mut list.contents, &mut list.common_prefixes);
    }
}

/// The same for the second version of lists, whose tokens are never encoded.
pub(super) fn encode_list_v2(list: &mut ListObjectsV2Output) {
    if is_encoded(list.encoding_type.as_ref()) {
        let names = [&mut list.prefix, &mut list.delimiter, &mut list.start_after];
        encode_names(names, &mut list.contents, &mut list.common_prefixes);
    }
}

fn is_encoded(encoding: Option<&EncodingType>) -> bool {
    encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL)
}

fn encode_names<const N: usize>(
    names: [&mut Option<String>; N],
    objects: &mut Option<Vec<Object>>,
    prefixes: &mut Option<Vec<CommonPrefix>>,
) {
    let keys = objects.iter_mut().flatten().map(|object| &mut object.key);
    let prefixes = prefixes.iter_mut().flatten().map(|prefix| &mut prefix.prefix);
    for name in names.into_iter().chain(keys).chain(prefixes).flatten() {
        *name = encode(name);
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
