//! What an attribute sets for a service: durations, and how it is restarted.
//!
//! Trap: `crate` may come after these keys, so a value is kept as the path that follows `__private`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse::ParseStream;
use syn::{Error, Ident, LitStr, Result};

use crate::args::Errors;

/// The options that are set, as calls of `ServiceOptions::with_…`.
#[derive(Default)]
pub(crate) struct Options {
    calls: Vec<(Ident, TokenStream)>,
    /// It is never restarted.
    temporary: bool,
    /// Where it asks to be restarted for another's sake.
    comes_back: Option<Span>,
    /// All keys that are there.
    keys: Vec<Ident>,
}

impl Options {
    /// All keys, in the order in which they are documented.
    pub(crate) const KEYS: &'static [&'static str] = &[
        "grace_period",
        "start_timeout",
        "restart",
        "backoff",
        "stable_after",
        "intensity",
        "give_up",
        "reaction",
        "watchdog",
        "on_unhealthy",
    ];

    /// Reads the value of `key`, which is one of [`Options::KEYS`].
    pub(crate) fn take(&mut self, key: &Ident, value: ParseStream<'_>) -> Result<()> {
        let literal: LitStr = value.parse()?;
        let text = literal.value();
        let read = match key.to_string().as_str() {
            "grace_period" => grace_period(&text),
            "start_timeout" => start_timeout(&text),
            "restart" => restart(&text),
            "backoff" => backoff(&text),
            "stable_after" | "watchdog" => plain_time(&text),
            "intensity" => intensity(&text),
            "give_up" => give_up(&text),
            "reaction" => reaction(&text),
            _ => on_unhealthy(&text),
        };
        let value = read.map_err(|mistake| Error::new(literal.span(), mistake))?;
        self.temporary |= key == "restart" && text == "temporary";
        if key == "reaction" && text == "restart" {
            self.comes_back = Some(literal.span());
        }
        self.calls.push((format_ident!("with_{key}"), value));
        self.keys.push(key.clone());
        Ok(())
    }

    /// The keys that are there.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Ident> {
        self.keys.iter()
    }

    /// Refuses what can not go together. `edges` are the places where a requirement asks
    /// for a restart.
    pub(crate) fn check(&self, edges: impl Iterator<Item = Span>, errors: &mut Errors) {
        if !self.temporary {
            return;
        }
        for place in self.comes_back.into_iter().chain(edges) {
            let text = "a temporary service is never restarted, for another's sake neither: write \
                        `stop` or `keep` here, or another policy in `restart`";
            errors.push(Error::new(place, text));
        }
    }

    /// The `ServiceOptions` with all that is set.
    pub(crate) fn constant(&self, private: &TokenStream) -> TokenStream {
        let calls = self.calls.iter().map(|(call, value)| quote!(.#call(#private::#value)));
        quote!(#private::ServiceOptions::NONE #(#calls)*)
    }
}

/// A value, or what is wrong with it and what is allowed.
type Read = std::result::Result<TokenStream, String>;

/// A time, `"none"` or `"unlimited"`.
fn grace_period(text: &str) -> Read {
    let form = format!("{TIME}, or \"none\", or \"unlimited\"");
    match text {
        "none" => Ok(quote!(GracePeriod::Bounded(::core::time::Duration::ZERO))),
        "unlimited" => Ok(quote!(GracePeriod::Unlimited)),
        _ => time(text, &form).map(|time| quote!(GracePeriod::Bounded(#time))),
    }
}

/// A time, or `"unlimited"`.
fn start_timeout(text: &str) -> Read {
    let form = format!("{TIME}, or \"unlimited\"");
    match text {
        "unlimited" => Ok(quote!(StartTimeout::Unlimited)),
        _ => time(text, &form).map(|time| quote!(StartTimeout::Bounded(#time))),
    }
}

fn restart(text: &str) -> Read {
    match text {
        "permanent" => Ok(quote!(RestartPolicy::Permanent)),
        "transient" => Ok(quote!(RestartPolicy::Transient)),
        "temporary" => Ok(quote!(RestartPolicy::Temporary)),
        _ => Err(format!(
            "{text:?} is no restart policy: write \"permanent\", \"transient\" or \"temporary\""
        )),
    }
}

/// `"none"`, a time, or two with `..` between them.
fn backoff(text: &str) -> Read {
    let form =
        format!("{TIME}, or the first and the longest one, such as \"100ms..30s\", or \"none\"");
    if text == "none" {
        return Ok(quote!(Backoff::NONE));
    }
    let Some((first, most)) = text.split_once("..") else {
        return time(text, &form).map(|time| quote!(Backoff::constant(#time)));
    };
    if let (Some(first), Some(most)) = (millis(first), millis(most))
        && first > most
    {
        return Err(format!("{text:?} begins with the longest time: write the shorter one first"));
    }
    let (first, most) = (time(first, &form)?, time(most, &form)?);
    Ok(quote!(Backoff::exponential(#first, #most)))
}

fn plain_time(text: &str) -> Read {
    millis_of(text, TIME).map(|millis| quote!(Duration::from_millis(#millis)))
}

/// A number and a time with `in` between them, or `"unlimited"`.
fn intensity(text: &str) -> Read {
    let form = "a number of restarts and a time, such as \"5 in 60s\", or \"unlimited\"";
    if text == "unlimited" {
        return Ok(quote!(Intensity::UNLIMITED));
    }
    let parts = text.split_once(" in ");
    let Some((restarts, period)) = parts.and_then(|(n, time)| Some((number(n)?, time))) else {
        return Err(format!("{text:?} is no intensity: write {form}"));
    };
    time(period, form).map(|period| quote!(Intensity::new(#restarts, #period)))
}

fn give_up(text: &str) -> Read {
    let form = "\"fail\", \"escalate\", or \"cool_down\" with a time, such as \"cool_down 5m\"";
    match (text, text.strip_prefix("cool_down ")) {
        ("fail", _) => Ok(quote!(GiveUp::Fail)),
        ("escalate", _) => Ok(quote!(GiveUp::Escalate)),
        (_, Some(after)) => time(after, form).map(|time| quote!(GiveUp::CoolDown(#time))),
        _ => Err(format!("{text:?} is no way to give up: write {form}")),
    }
}

fn reaction(text: &str) -> Read {
    match text {
        "restart" => Ok(quote!(Reaction::Restart)),
        "stop" => Ok(quote!(Reaction::Stop)),
        "keep" => Ok(quote!(Reaction::Keep)),
        _ => Err(format!("{text:?} is no reaction: write \"restart\", \"stop\" or \"keep\"")),
    }
}

fn on_unhealthy(text: &str) -> Read {
    match text {
        "ignore" => Ok(quote!(OnUnhealthy::Ignore)),
        "restart" => Ok(quote!(OnUnhealthy::Restart)),
        _ => Err(format!("{text:?} is nothing to do: write \"ignore\" or \"restart\"")),
    }
}

const TIME: &str = "a number and one of `ms`, `s`, `m`, `h`, such as \"500ms\" or \"2s\"";

/// The constant of a time; `form` says what is allowed.
fn time(text: &str, form: &str) -> Read {
    millis_of(text, form).map(|millis| quote!(::core::time::Duration::from_millis(#millis)))
}

fn millis_of(text: &str, form: &str) -> std::result::Result<u64, String> {
    match millis(text) {
        Some(0) => Err(format!("no time is left: write {form}")),
        Some(millis) => Ok(millis),
        None => Err(format!("{text:?} is no duration: write {form}")),
    }
}

fn millis(text: &str) -> Option<u64> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// Digits only: no sign.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}
