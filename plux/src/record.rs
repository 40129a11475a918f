//! The record: what a plugin's attribute leaves in the binary for tools that do not run it.
//!
//! A record is a constant in a link section, one per plugin:
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `\x7fPLUXREC` |
//! | 8 | 4 | version of this layout, now 1 |
//! | 12 | 4 | length of the text in bytes |
//! | 16 | 4 | checksum of the text: CRC-32 as zlib and PNG have it |
//! | 20 | length | the text: one JSON object in UTF-8, without white space |
//!
//! Numbers are unsigned and little-endian. The object has the keys `namespace`, `name`,
//! `extension_point`, `crate` (the package), `version`, `module`, `file`, `line` (a number), and
//! `requires`, `wants`, `after` (lists of `name`, of the own namespace, or `namespace:name`).
//! A reader ignores keys that it does not know. The section is `.plux.records` in ELF,
//! `__DATA,__plux_records` in Mach-O and `.pluxrec` in COFF; the attributes name it.
//!
//! Trap: linkers may pad between records, and the magic may stand elsewhere by accident (in a tool
//! that reads records, for one). So a reader looks for the magic and believes the checksum only.

use crate::extension::{ExtensionPoint, namespace_of};
use crate::name::Namespace;
use crate::origin::Origin;
use crate::spec::{Dependency, DependencyKind};

/// What a record begins with.
const MAGIC: [u8; 8] = *b"\x7fPLUXREC";
const VERSION: u32 = 1;
const HEADER: usize = 20;

/// What a record says.
pub struct RecordFields {
    namespace: &'static str,
    name: &'static str,
    extension_point: &'static str,
    origin: Origin,
    dependencies: &'static [Dependency],
}

impl RecordFields {
    /// The fields of a plugin of `P`.
    pub const fn of<P: ExtensionPoint + ?Sized>(
        name: &'static str,
        origin: Origin,
        dependencies: &'static [Dependency],
    ) -> Self {
        Self::in_namespace::<P>(namespace_of::<P>(), name, origin, dependencies)
    }

    /// The fields of a plugin of `P`, in a namespace that `P` does not name.
    pub const fn in_namespace<P: ExtensionPoint + ?Sized>(
        namespace: &'static str,
        name: &'static str,
        origin: Origin,
        dependencies: &'static [Dependency],
    ) -> Self {
        Self { namespace, name, extension_point: P::PATH, origin, dependencies }
    }

    /// The namespace, for the spec.
    pub const fn namespace(&self) -> Namespace {
        Namespace::literal(self.namespace)
    }
}

/// The length of the record of `fields`, its header included.
pub const fn record_length(fields: &RecordFields) -> usize {
    HEADER + Text::<0>::of(fields).length
}

/// The record of `fields`; `N` is its [`record_length`].
pub const fn encode_record<const N: usize>(fields: &RecordFields) -> [u8; N] {
    let text = Text::<N>::of(fields);
    let mut record = [0; N];
    copy(&mut record, 0, &MAGIC, MAGIC.len());
    copy(&mut record, 8, &VERSION.to_le_bytes(), 4);
    copy(&mut record, 12, &(text.length as u32).to_le_bytes(), 4);
    copy(&mut record, 16, &crc32(&text.bytes, text.length).to_le_bytes(), 4);
    copy(&mut record, HEADER, &text.bytes, text.length);
    record
}

const fn copy(into: &mut [u8], at: usize, from: &[u8], length: usize) {
    let mut copied = 0;
    while copied < length {
        into[at + copied] = from[copied];
        copied += 1;
    }
}

/// JSON under construction. What does not fit is counted all the same, so the length of a text is
/// had by writing it into no room.
struct Text<const ROOM: usize> {
    bytes: [u8; ROOM],
    length: usize,
}

impl<const ROOM: usize> Text<ROOM> {
    const fn of(fields: &RecordFields) -> Self {
        let Origin { package, version, module, file, line } = fields.origin;
        let mut text = Self { bytes: [0; ROOM], length: 0 };
        text.string("{\"namespace\":", fields.namespace);
        text.string(",\"name\":", fields.name);
        text.string(",\"extension_point\":", fields.extension_point);
        text.string(",\"crate\":", package);
        text.string(",\"version\":", version);
        text.string(",\"module\":", module);
        text.string(",\"file\":", file);
        text.plain(",\"line\":");
        text.number(line);
        text.list(",\"requires\":[", fields.dependencies, DependencyKind::Requires);
        text.list(",\"wants\":[", fields.dependencies, DependencyKind::Wants);
        text.list(",\"after\":[", fields.dependencies, DependencyKind::After);
        text.plain("}");
        text
    }

    const fn byte(&mut self, byte: u8) {
        if self.length < ROOM {
            self.bytes[self.length] = byte;
        }
        self.length += 1;
    }

    const fn plain(&mut self, text: &str) {
        let mut at = 0;
        while at < text.len() {
            self.byte(text.as_bytes()[at]);
            at += 1;
        }
    }

    /// `before`, then `value` between quotes.
    const fn string(&mut self, before: &str, value: &str) {
        self.plain(before);
        self.byte(b'"');
        self.escaped(value);
        self.byte(b'"');
    }

    /// JSON takes every character as it is but for quotes, backslashes and those below a space.
    const fn escaped(&mut self, value: &str) {
        let mut at = 0;
        while at < value.len() {
            let byte = value.as_bytes()[at];
            if byte == b'"' || byte == b'\\' {
                self.byte(b'\\');
                self.byte(byte);
            } else if byte < b' ' {
                self.plain("\\u00");
                self.byte(b'0' + (byte >> 4));
                self.byte(b"0123456789abcdef"[(byte & 15) as usize]);
            } else {
                self.byte(byte);
            }
            at += 1;
        }
    }

    const fn number(&mut self, number: u32) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    /// `before`, the dependencies of one kind, and the closing bracket.
    const fn list(&mut self, before: &str, dependencies: &[Dependency], kind: DependencyKind) {
        self.plain(before);
        let (mut at, mut comma) = (0, "");
        while at < dependencies.len() {
            let dependency = &dependencies[at];
            if dependency.kind as u8 == kind as u8 {
                self.plain(comma);
                self.byte(b'"');
                if let Some(namespace) = &dependency.namespace {
                    self.escaped(namespace.as_literal());
                    self.byte(b':');
                }
                self.escaped(dependency.name.as_literal());
                self.byte(b'"');
                comma = ",";
            }
            at += 1;
        }
        self.byte(b']');
    }
}

/// The remainder of each byte, for the reflected polynomial of CRC-32.
const REMAINDERS: [u32; 256] = {
    let mut remainders = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut remainder, mut bit) = (byte as u32, 0);
        while bit < 8 {
            remainder = (remainder >> 1) ^ (0xedb8_8320 * (remainder & 1));
            bit += 1;
        }
        remainders[byte] = remainder;
        byte += 1;
    }
    remainders
};

/// A table and not a loop over bits, so that long records do not make the compiler slow.
const fn crc32(bytes: &[u8], length: usize) -> u32 {
    let (mut crc, mut at) = (u32::MAX, 0);
    while at < length {
        crc = (crc >> 8) ^ REMAINDERS[((crc ^ bytes[at] as u32) & 255) as usize];
        at += 1;
    }
    !crc
}
