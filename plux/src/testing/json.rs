//! Traces as JSON lines, written and read.
//!
//! Trap: the keys stand in the order of the form, which a map of serde_json's would not keep; so only
//! texts are its business when a line is written.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::record::Reply;
use super::trace::{Config, EdgeConfig, Line, Says, ServiceConfig, Trace};
use super::words::{
    Answer, Command, EdgeKind, EdgeReaction, Grace, Moved, Outcome, Policy, Reason, WhenSpent,
};

/// Why a text is no trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("line {line} is no line of a trace: {problem}")]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// Each line ends in a line feed.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A text in quotation marks.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::from(self.0).fmt(f)
    }
}

/// A list of what is written.
struct List<T>(T);

impl<T: Iterator<Item: fmt::Display> + Clone> fmt::Display for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (place, item) in self.0.clone().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{item}")?;
        }
        f.write_str("]")
    }
}

/// The JSON object, without a line feed.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"{{"at":{}"#, self.at)?;
        match &self.says {
            Says::Config(config) => {
                let services = List(config.services.iter());
                write!(f, r#","event":"config","services":{services}"#)?;
                let group = List(config.group.iter().map(|name| Text(name)));
                write!(f, r#","edges":{},"group":{group}"#, List(config.edges.iter()))?;
            }
            Says::Command { id, command, service } => {
                if let Some(service) = service {
                    write!(f, r#","service":{}"#, Text(service))?;
                }
                write!(f, r#","event":"command","id":{id},"command":"{command}""#)?;
            }
            Says::Reply(Reply { id, answer, service, stopped }) => {
                write!(f, r#","event":"reply","id":{id},"answer":"{answer}""#)?;
                if let Some(service) = service {
                    write!(f, r#","service":{}"#, Text(service))?;
                }
                if let Some(stopped) = stopped {
                    let stopped = List(stopped.iter().map(|name| Text(name)));
                    write!(f, r#","stopped":{stopped}"#)?;
                }
            }
            Says::State { service, state, incarnation, reason } => {
                write!(f, r#","service":{},"event":"{state}""#, Text(service))?;
                write!(f, r#","incarnation":{incarnation}"#)?;
                if let Some(reason) = reason {
                    write!(f, r#","reason":"{reason}""#)?;
                }
            }
            Says::Ended { service, incarnation, outcome } => {
                write!(f, r#","service":{},"event":"ended""#, Text(service))?;
                write!(f, r#","incarnation":{incarnation},"outcome":"{outcome}""#)?;
            }
            Says::End => f.write_str(r#","event":"end""#)?,
        }
        f.write_str("}")
    }
}

impl fmt::Display for ServiceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, restart, intensity, give_up, grace, zero_delay, disabled } = self;
        write!(f, r#"{{"name":{},"restart":"{restart}""#, Text(name))?;
        write!(f, r#","intensity":{intensity},"give_up":"{give_up}","grace":"{grace}""#)?;
        write!(f, r#","zero_delay":{zero_delay},"disabled":{disabled}}}"#)
    }
}

impl fmt::Display for EdgeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dependant, dependency, kind, reaction } = self;
        let (dependant, dependency) = (Text(dependant), Text(dependency));
        write!(f, r#"{{"dependant":{dependant},"dependency":{dependency}"#)?;
        write!(f, r#","kind":"{kind}","reaction":"{reaction}"}}"#)
    }
}

impl Trace {
    /// Reads what was written; empty lines are none.
    ///
    /// # Errors
    /// [`ReadError`] names the first line that is not in the form, and what is wrong with it.
    pub fn read(text: &str) -> Result<Self, ReadError> {
        let mut lines = Vec::new();
        for (place, text) in text.lines().enumerate() {
            if !text.trim().is_empty() {
                let wrong = |problem| ReadError { line: place + 1, problem };
                lines.push(line(text).map_err(wrong)?);
            }
        }
        Ok(Self { lines })
    }
}

type Read<T> = Result<T, String>;

fn line(text: &str) -> Read<Line> {
    let object: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let object = &object;
    let says = match str_of(object, "event")? {
        "config" => Says::Config(Config {
            services: each(object, "services", service)?,
            edges: each(object, "edges", edge)?,
            group: match object.get("group") {
                None => Vec::new(),
                Some(_) => names(object, "group")?,
            },
        }),
        "command" => Says::Command {
            id: number(object, "id")?,
            command: word(object, "command", Command::of)?,
            service: optional(object, "service", text_of)?,
        },
        "reply" => Says::Reply(Reply {
            id: number(object, "id")?,
            answer: word(object, "answer", Answer::of)?,
            service: optional(object, "service", text_of)?,
            stopped: optional(object, "stopped", names)?,
        }),
        "ended" => Says::Ended {
            service: text_of(object, "service")?,
            incarnation: number(object, "incarnation")?,
            outcome: word(object, "outcome", Outcome::of)?,
        },
        "end" => Says::End,
        _ => Says::State {
            service: text_of(object, "service")?,
            state: word(object, "event", Moved::of)?,
            incarnation: number(object, "incarnation")?,
            reason: optional(object, "reason", |object, key| word(object, key, Reason::of))?,
        },
    };
    Ok(Line { at: number(object, "at")?, says })
}

fn service(object: &Value) -> Read<ServiceConfig> {
    Ok(ServiceConfig {
        name: text_of(object, "name")?,
        restart: word(object, "restart", Policy::of)?,
        intensity: number(object, "intensity")?,
        give_up: word(object, "give_up", WhenSpent::of)?,
        grace: word(object, "grace", Grace::of)?,
        zero_delay: truth(object, "zero_delay")?,
        disabled: truth(object, "disabled")?,
    })
}

fn edge(object: &Value) -> Read<EdgeConfig> {
    Ok(EdgeConfig {
        dependant: text_of(object, "dependant")?,
        dependency: text_of(object, "dependency")?,
        kind: word(object, "kind", EdgeKind::of)?,
        reaction: word(object, "reaction", EdgeReaction::of)?,
    })
}

fn get<'a>(object: &'a Value, key: &str) -> Read<&'a Value> {
    object.get(key).ok_or_else(|| format!("it has no `{key}`"))
}

fn optional<T>(
    object: &Value,
    key: &str,
    read: impl Fn(&Value, &str) -> Read<T>,
) -> Read<Option<T>> {
    object.get(key).map(|_| read(object, key)).transpose()
}

fn str_of<'a>(object: &'a Value, key: &str) -> Read<&'a str> {
    get(object, key)?.as_str().ok_or_else(|| format!("its `{key}` is no text"))
}

fn text_of(object: &Value, key: &str) -> Read<Arc<str>> {
    str_of(object, key).map(Arc::from)
}

fn truth(object: &Value, key: &str) -> Read<bool> {
    get(object, key)?.as_bool().ok_or_else(|| format!("its `{key}` is neither true nor false"))
}

fn number<T: TryFrom<u64>>(object: &Value, key: &str) -> Read<T> {
    let number = get(object, key)?.as_u64().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("its `{key}` is no such number"))
}

fn word<T>(object: &Value, key: &str, of: impl Fn(&str) -> Option<T>) -> Read<T> {
    let word = str_of(object, key)?;
    of(word).ok_or_else(|| format!("its `{key}` can not be `{word}`"))
}

fn each<T>(object: &Value, key: &str, read: impl Fn(&Value) -> Read<T>) -> Read<Vec<T>> {
    let list = get(object, key)?.as_array().ok_or_else(|| format!("its `{key}` is no list"))?;
    list.iter().map(read).collect()
}

fn names(object: &Value, key: &str) -> Read<Vec<Arc<str>>> {
    each(object, key, |name| {
        name.as_str().map(Arc::from).ok_or_else(|| format!("its `{key}` has what is no text"))
    })
}
