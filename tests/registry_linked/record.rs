//! The records in the link section, read from this binary's own file by a reader that shares
//! nothing with the library: the layout is written down here once more.

use std::fs;

use elsewhere::Greeting;
use plux::__private::{RecordFields, encode_record, record_length};
use plux::{BoxError, Name, Namespace, Origin, PluginManager, PluginSpec, SpecRef};
use serde_json::{Value, json};

use crate::{functions, services, shop};

/// CRC-32 bit by bit.
fn checksum(text: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for byte in text {
        rest ^= u32::from(*byte);
        for _ in 0..8 {
            rest = if rest & 1 == 1 { (rest >> 1) ^ 0xEDB8_8320 } else { rest >> 1 };
        }
    }
    !rest
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The record that begins with `bytes`: its length and its text.
fn record(bytes: &[u8]) -> Option<(usize, Value)> {
    if !bytes.starts_with(b"\x7fPLUXREC") || number(bytes, 8)? != 1 {
        return None;
    }
    let length = usize::try_from(number(bytes, 12)?).ok()?;
    let text = bytes.get(20..20 + length)?;
    if checksum(text) != number(bytes, 16)? {
        return None;
    }
    Some((20 + length, serde_json::from_slice(text).expect("what has its checksum is JSON")))
}

/// All records in `bytes`, wherever they are, in the order of their ids.
fn records(bytes: &[u8]) -> Vec<Value> {
    let mut found: Vec<_> = (0..bytes.len())
        .filter(|at| bytes[*at] == 0x7f)
        .filter_map(|at| record(&bytes[at..]))
        .map(|(_, text)| text)
        .collect();
    found.sort_by_key(id);
    found
}

fn id(record: &Value) -> String {
    let part = |key: &str| record[key].as_str().unwrap();
    format!("{}:{}", part("namespace"), part("name"))
}

fn own_file() -> Vec<u8> {
    fs::read(std::env::current_exe().unwrap()).unwrap()
}

/// What the record of `spec` should say.
fn expected(spec: &PluginSpec, extension_point: &str) -> Value {
    let of = |kind: &str| -> Vec<String> {
        let all = spec.dependencies().iter().filter(|it| it.kind.to_string() == kind);
        all.map(|it| match &it.namespace {
            Some(namespace) => format!("{namespace}:{}", it.name),
            None => it.name.to_string(),
        })
        .collect()
    };
    let origin = spec.origin();
    json!({
        "namespace": spec.namespace().as_str(),
        "name": spec.name().as_str(),
        "extension_point": extension_point,
        "crate": origin.package,
        "version": origin.version,
        "module": origin.module,
        "file": origin.file,
        "line": origin.line,
        "requires": of("requires"),
        "wants": of("wants"),
        "after": of("after"),
    })
}

/// What the records of this binary should say, in the order of their ids.
fn all_expected() -> Vec<Value> {
    let mut expected: Vec<_> = all().iter().map(|(spec, point)| expected(spec, point)).collect();
    expected.sort_by_key(id);
    expected
}

fn all() -> Vec<(SpecRef, &'static str)> {
    let shop = shop().specs().unwrap().into_iter().map(|it| (it, "fixture_api::ServicePlugin"));
    let services = services().specs().unwrap().into_iter();
    let services = services.map(|it| (it, "plux::function::FnService"));
    let functions = functions().specs().unwrap().into_iter();
    let functions = functions.map(|it| (it, "plux::fn_plugin::FnPlugin"));
    let hello = PluginManager::<dyn Greeting>::builder(()).build();
    let hello = hello.specs().unwrap().into_iter().map(|it| (it, "fixture_renamed::Greeting"));
    shop.chain(services).chain(functions).chain(hello).collect()
}

#[test]
fn the_file_of_a_binary_has_one_record_for_each_spec_in_it() {
    let wanted = all_expected();
    assert_eq!(wanted.len(), 13);
    assert_eq!(records(&own_file()), wanted);
}

#[test]
fn a_spec_refers_to_its_record_and_to_nothing_around_it() {
    for (spec, point) in all() {
        let (length, text) = record(spec.record()).unwrap();
        assert_eq!(length, spec.record().len());
        assert_eq!(text, expected(&spec, point));
    }
    let made = PluginSpec::new::<dyn Greeting>(Namespace::literal("a"), Name::literal("b"), || {
        Err(BoxError::from("never made"))
    });
    assert!(made.record().is_empty());
}

#[test]
fn a_text_that_was_changed_is_no_record() {
    let (spec, _) = &all()[0];
    for at in [0, 8, 12, 16, 20, spec.record().len() - 1] {
        let mut changed = spec.record().to_vec();
        changed[at] ^= 1;
        assert_eq!(record(&changed), None, "byte {at}");
    }
}

/// The bytes of one section of a 64-bit little-endian ELF file.
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
fn section(file: &[u8], wanted: &str) -> Option<Vec<u8>> {
    let long = |at: usize| {
        let bytes = file[at..at + 8].try_into().unwrap();
        usize::try_from(u64::from_le_bytes(bytes)).unwrap()
    };
    let short = |at: usize| usize::from(u16::from_le_bytes(file[at..at + 2].try_into().unwrap()));
    let (headers, size, count, names) = (long(0x28), short(0x3a), short(0x3c), short(0x3e));
    let bytes = |header: usize| &file[long(header + 0x18)..][..long(header + 0x20)];
    let names = bytes(headers + names * size);
    (0..count).map(|at| headers + at * size).find_map(|header| {
        let name = &names[number(file, header).unwrap() as usize..];
        name.starts_with(format!("{wanted}\0").as_bytes()).then(|| bytes(header).to_vec())
    })
}

#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
#[test]
fn records_stand_in_a_section_of_their_own() {
    let section = section(&own_file(), ".plux.records").expect("the section");
    assert_eq!(records(&section), all_expected());
}

#[test]
fn every_line_is_written_in_full() {
    const LENGTH: usize = record_length(&fields(u32::MAX));
    const fn fields(line: u32) -> RecordFields {
        RecordFields::of::<dyn Greeting>("name", Origin::new("", "", "", "", line), &[])
    }
    for line in [0, 9, 10, 11, 99, 100, 101, 1010, u32::MAX] {
        let bytes: [u8; LENGTH] = encode_record(&fields(line));
        let (length, text) = record(&bytes).unwrap();
        assert_eq!(text["line"], line);
        assert_eq!(length, record_length(&fields(line)));
    }
}

#[test]
fn awkward_characters_are_escaped() {
    const ORIGIN: Origin = Origin::new(
        "quoted \"package\"",
        "1.0.0+é\u{10ffff}",
        "a\u{0}\u{1}\u{1f} \u{7f}\n\r\t",
        "C:\\sources\\lib.rs",
        u32::MAX,
    );
    const FIELDS: RecordFields = RecordFields::of::<dyn Greeting>("name", ORIGIN, &[]);
    const LENGTH: usize = record_length(&FIELDS);
    // Made at run time, so that this binary's file has no record which nothing registered.
    let bytes: [u8; LENGTH] = encode_record(&FIELDS);
    let (length, text) = record(&bytes).unwrap();
    assert_eq!(length, LENGTH);
    assert_eq!(text["crate"], ORIGIN.package);
    assert_eq!(text["version"], ORIGIN.version);
    assert_eq!(text["module"], ORIGIN.module);
    assert_eq!(text["file"], ORIGIN.file);
    assert_eq!(text["line"], ORIGIN.line);
}
