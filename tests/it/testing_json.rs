//! Traces as JSON lines: what is written is read back as it was, and what is no trace is refused.

use std::sync::Arc;

use plux::testing::{
    Answer, Command, Config, EdgeConfig, EdgeKind, EdgeReaction, Grace, Line, Moved, Outcome,
    Policy, ReadError, Reason, Says, ServiceConfig, Trace, WhenSpent,
};
use schedules::Dice;
use serde_json::{Value, json};

/// Draws texts, too.
struct Texts(Dice);

impl Texts {
    fn roll(&mut self, sides: usize) -> usize {
        self.0.roll(sides)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        self.0.pick(of)
    }

    /// Any text: what has to be escaped, what looks like an escape, and what is far away.
    fn text(&mut self) -> Arc<str> {
        let odd =
            ['"', '\\', '\n', '\r', '\t', '\0', '\u{1f}', '\u{7f}', '/', '\'', '{', '\u{2028}'];
        let far = ['é', '\u{feff}', '語', '\u{10ffff}', '😀', 'n', 'u', ' '];
        (0..self.roll(12))
            .map(|_| match self.roll(3) {
                0 => self.pick(&odd),
                1 => self.pick(&far),
                _ => char::from_u32(self.roll(0x11_0000) as u32).unwrap_or('?'),
            })
            .collect::<String>()
            .into()
    }

    fn texts(&mut self) -> Vec<Arc<str>> {
        (0..self.roll(4)).map(|_| self.text()).collect()
    }

    fn maybe<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Option<T> {
        (self.roll(2) == 0).then(|| make(self))
    }

    fn config(&mut self) -> Config {
        let services = (0..self.roll(4)).map(|_| ServiceConfig {
            name: self.text(),
            restart: self.pick(Policy::ALL),
            intensity: self.roll(1 << 32) as u32,
            give_up: self.pick(WhenSpent::ALL),
            grace: self.pick(Grace::ALL),
            zero_delay: self.roll(2) == 0,
            disabled: self.roll(2) == 0,
        });
        let services = services.collect();
        let edges = (0..self.roll(4)).map(|_| EdgeConfig {
            dependant: self.text(),
            dependency: self.text(),
            kind: self.pick(EdgeKind::ALL),
            reaction: self.pick(EdgeReaction::ALL),
        });
        Config { edges: edges.collect(), services, group: self.texts() }
    }

    fn line(&mut self) -> Line {
        let id = self.roll(usize::MAX) as u64 >> 1;
        let says = match self.roll(6) {
            0 => Says::Config(self.config()),
            1 => Says::Command {
                id,
                command: self.pick(Command::ALL),
                service: self.maybe(Self::text),
            },
            2 => Says::Reply(plux::testing::Reply {
                id,
                answer: self.pick(Answer::ALL),
                service: self.maybe(Self::text),
                stopped: self.maybe(Self::texts),
            }),
            3 => Says::State {
                service: self.text(),
                state: self.pick(Moved::ALL),
                incarnation: self.roll(1 << 32) as u32,
                reason: self.maybe(|dice| dice.pick(Reason::ALL)),
            },
            4 => Says::Ended {
                service: self.text(),
                incarnation: self.roll(1 << 32) as u32,
                outcome: self.pick(Outcome::ALL),
            },
            _ => Says::End,
        };
        Line { at: self.roll(usize::MAX) as u64 >> 3, says }
    }
}

#[test]
fn random_lines_with_any_text_are_read_back_as_they_were() {
    for seed in 0..2_000 {
        let mut dice = Texts(Dice::new(seed));
        let trace = Trace { lines: (0..1 + dice.roll(5)).map(|_| dice.line()).collect() };
        let text = trace.to_string();
        assert_eq!(text.lines().count(), trace.lines.len(), "{text}");
        assert_eq!(Trace::read(&text), Ok(trace), "{text}");
    }
}

/// The form, written by hand.
#[test]
fn each_line_is_in_its_form() {
    let db: Arc<str> = "db".into();
    let service = ServiceConfig {
        name: "db".into(),
        restart: Policy::Permanent,
        intensity: 2,
        give_up: WhenSpent::CoolDown,
        grace: Grace::Some,
        zero_delay: false,
        disabled: false,
    };
    let edge = EdgeConfig {
        dependant: "api".into(),
        dependency: "db".into(),
        kind: EdgeKind::Requires,
        reaction: EdgeReaction::Keep,
    };
    let config = Config { services: vec![service], edges: vec![edge], group: vec![db.clone()] };
    let state = |state, reason| Says::State { service: db.clone(), state, incarnation: 1, reason };
    let lines = [
        (
            Says::Config(config),
            r#"{"at":0,"event":"config","services":[{"name":"db","restart":"permanent","intensity":2,"give_up":"cool_down","grace":"some","zero_delay":false,"disabled":false}],"edges":[{"dependant":"api","dependency":"db","kind":"requires","reaction":"keep"}],"group":["db"]}"#,
        ),
        (
            Says::Command { id: 1, command: Command::AbortNow, service: None },
            r#"{"at":0,"event":"command","id":1,"command":"abort_now"}"#,
        ),
        (
            Says::Command { id: 2, command: Command::Start, service: Some(db.clone()) },
            r#"{"at":0,"service":"db","event":"command","id":2,"command":"start"}"#,
        ),
        (
            state(Moved::Failed, Some(Reason::GaveUp)),
            r#"{"at":0,"service":"db","event":"failed","incarnation":1,"reason":"gave_up"}"#,
        ),
        (
            state(Moved::Running, None),
            r#"{"at":0,"service":"db","event":"running","incarnation":1}"#,
        ),
        (
            Says::Ended { service: db.clone(), incarnation: 1, outcome: Outcome::Fatal },
            r#"{"at":0,"service":"db","event":"ended","incarnation":1,"outcome":"fatal"}"#,
        ),
        (Says::End, r#"{"at":0,"event":"end"}"#),
    ];
    for (says, text) in lines {
        assert_eq!(Line { at: 0, says }.to_string(), text);
    }
    let read = Trace::read(
        r#"{"stopped":["db","api"],"event":"reply","service":"db","answer":"done","id":1,"at":3}"#,
    );
    let Says::Reply(reply) = &read.unwrap().lines[0].says else { panic!("it is a reply") };
    assert_eq!(reply.to_string(), "done db [db, api]");
}

#[test]
fn what_is_no_line_of_a_trace_is_refused_with_its_place() {
    let end = json!({"at": 1, "event": "end"});
    let wrong: [(Value, &str); 8] = [
        (json!({"at": 1}), "it has no `event`"),
        (json!({"at": -1, "event": "end"}), "its `at` is no such number"),
        (json!({"at": 1, "event": 7}), "its `event` is no text"),
        (
            json!({"at": 1, "service": "db", "event": "asleep", "incarnation": 1}),
            "its `event` can not be `asleep`",
        ),
        (
            json!({"at": 1, "service": "db", "event": "running", "incarnation": 4_294_967_296_u64}),
            "its `incarnation` is no such number",
        ),
        (
            json!({"at": 1, "event": "reply", "id": 1, "answer": "done", "stopped": [1]}),
            "its `stopped` has what is no text",
        ),
        (
            json!({"at": 1, "event": "config", "services": {}, "edges": []}),
            "its `services` is no list",
        ),
        (
            json!({"at": 1, "event": "reply", "id": 1, "answer": "maybe"}),
            "its `answer` can not be `maybe`",
        ),
    ];
    for (object, problem) in wrong {
        let error = Trace::read(&format!("{end}\n\n{object}\n")).unwrap_err();
        let ReadError { line, .. } = &error;
        assert_eq!(
            (*line, error.to_string()),
            (3, format!("line 3 is no line of a trace: {problem}"))
        );
    }
    let error = Trace::read("{").unwrap_err();
    assert!(error.to_string().starts_with("line 1 is no line of a trace: EOF"), "{error}");
}

#[test]
fn every_word_is_read_as_itself_and_no_other_is() {
    fn words<T: Copy + PartialEq + std::fmt::Debug>(
        all: &[T],
        word: fn(T) -> &'static str,
        of: fn(&str) -> Option<T>,
    ) {
        assert!(all.iter().all(|one| of(word(*one)) == Some(*one)), "{all:?}");
        assert_eq!(of("no word"), None);
    }
    words(Command::ALL, Command::word, Command::of);
    words(Answer::ALL, Answer::word, Answer::of);
    words(Moved::ALL, Moved::word, Moved::of);
    words(Reason::ALL, Reason::word, Reason::of);
    words(Outcome::ALL, Outcome::word, Outcome::of);
    words(Policy::ALL, Policy::word, Policy::of);
    words(WhenSpent::ALL, WhenSpent::word, WhenSpent::of);
    words(Grace::ALL, Grace::word, Grace::of);
    words(EdgeKind::ALL, EdgeKind::word, EdgeKind::of);
    words(EdgeReaction::ALL, EdgeReaction::word, EdgeReaction::of);
}
