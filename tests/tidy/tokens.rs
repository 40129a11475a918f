//! Rust text as tokens: names and punctuation with their lines; comments are dropped, and a
//! literal is one token without content.
//!
//! Trap: `'a` opens a lifetime or a character. It is a character when the quote closes after one
//! character or after an escape.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// A name or keyword; `r#type` is `type`.
    Word(&'a str),
    /// One character of punctuation.
    Mark(char),
    /// A string, character or number.
    Literal,
}

/// A token and the line it begins on, from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind<'a>,
    pub(crate) line: usize,
}

impl<'a> Token<'a> {
    /// The name, when it is one.
    pub(crate) fn word(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Whether it is this punctuation.
    pub(crate) fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// Whether `tokens` begin with `pattern`: words as they are, punctuation one character each.
pub(crate) fn begins(tokens: &[Token<'_>], pattern: &[&str]) -> bool {
    tokens.len() >= pattern.len()
        && tokens.iter().zip(pattern).all(|(token, wanted)| match token.kind {
            Kind::Word(word) => word == *wanted,
            Kind::Mark(mark) => wanted.chars().eq([mark]),
            Kind::Literal => false,
        })
}

/// Takes a whole file apart.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut cursor = Cursor { text, at: 0, line: 1 };
    let mut tokens = Vec::new();
    while let Some(token) = cursor.next_token() {
        tokens.push(token);
    }
    tokens
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self, bytes: usize) {
        self.line += self.text[self.at..self.at + bytes].matches('\n').count();
        self.at += bytes;
    }

    fn skip_past(&mut self, end: &str) {
        let bytes = self.rest().find(end).map_or(self.rest().len(), |at| at + end.len());
        self.skip(bytes);
    }

    fn next_token(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest();
            let first = rest.chars().next()?;
            let line = self.line;
            if first.is_whitespace() {
                self.skip(first.len_utf8());
            } else if rest.starts_with("//") {
                self.skip_past("\n");
            } else if rest.starts_with("/*") {
                self.skip_block_comment();
            } else if let Some(kind) = self.literal(first) {
                return Some(Token { kind, line });
            } else if first.is_alphabetic() || first == '_' {
                let kind = Kind::Word(self.take_word());
                return Some(Token { kind, line });
            } else {
                self.skip(first.len_utf8());
                return Some(Token { kind: Kind::Mark(first), line });
            }
        }
    }

    fn take_word(&mut self) -> &'a str {
        let rest = self.rest();
        let rest = rest.strip_prefix("r#").unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.skip(self.rest().len() - rest.len() + end);
        &rest[..end]
    }

    fn skip_block_comment(&mut self) {
        self.skip(2);
        let mut depth = 1;
        while depth > 0 && !self.rest().is_empty() {
            if self.rest().starts_with("/*") {
                depth += 1;
                self.skip(2);
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.skip(2);
            } else {
                let bytes = self.rest().chars().next().map_or(0, char::len_utf8);
                self.skip(bytes);
            }
        }
    }

    /// Skips a literal that begins here; a lifetime is passed over as one, too.
    fn literal(&mut self, first: char) -> Option<Kind<'a>> {
        let rest = self.rest();
        if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            self.skip(end);
            return Some(Kind::Literal);
        }
        let prefix = rest.find(|c: char| !matches!(c, 'b' | 'c' | 'r')).unwrap_or(rest.len());
        let body = &rest[prefix..];
        if prefix <= 2 && rest[..prefix].ends_with('r') {
            let hashes = body.len() - body.trim_start_matches('#').len();
            if body[hashes..].starts_with('"') {
                self.skip(prefix + hashes + 1);
                self.skip_past(&format!("\"{}", "#".repeat(hashes)));
                return Some(Kind::Literal);
            }
        } else if prefix <= 1 && body.starts_with('"') {
            self.skip(prefix + 1);
            self.skip_quoted('"');
            return Some(Kind::Literal);
        } else if prefix <= 1 && body.starts_with('\'') {
            self.skip(prefix + 1);
            let mut ahead = self.rest().chars();
            if ahead.next() == Some('\\') || ahead.next() == Some('\'') {
                self.skip_quoted('\'');
            }
            return Some(Kind::Literal);
        }
        None
    }

    fn skip_quoted(&mut self, quote: char) {
        while let Some(next) = self.rest().chars().next() {
            self.skip(next.len_utf8());
            if next == '\\' {
                let escaped = self.rest().chars().next().map_or(0, char::len_utf8);
                self.skip(escaped);
            } else if next == quote {
                return;
            }
        }
    }
}

#[test]
fn comments_and_literals_hide_their_words() {
    let text = "/* a /* b */ c */ x // y\n \"z \\\" \" r#\"q\"# b'\\'' '\"' <'life> r#fn 1_0u8 é";
    let words: Vec<_> = tokens(text).iter().filter_map(Token::word).collect();
    assert_eq!(words, ["x", "life", "fn", "é"]);
    let lines: Vec<_> = tokens("a\n\"\n\"\nb").iter().map(|token| token.line).collect();
    assert_eq!(lines, [1, 2, 4]);
}
