//! What is said beforehand of calls by services, against what becomes of them in walks while the service
//! that asks goes on.

use super::chance::{Ask, Asked, Dice};
use super::walk::{Call, World};
use super::words::{About, Answer, Index};

impl World {
    /// Has one that lives make a call, in a world of its own in which all others end and get ready.
    pub(super) fn asks(&self, mut dice: Dice) {
        let may_ask: Vec<_> =
            self.lives.iter().filter(|(_, life)| !life.aborted).map(|(at, _)| *at).collect();
        if may_ask.is_empty() || dice.roll(4) > 0 {
            return;
        }
        let asks = may_ask[dice.roll(may_ask.len())];
        let service = dice.roll(self.completed.len()) as Index;
        let ask = Ask::ALL[dice.roll(Ask::ALL.len())];
        if self.here[service as usize] {
            self.clone().has_answer(asks, ask, service);
        }
    }

    /// Whoever is refused would not have got what it asked for while it lived. Whoever is not is answered
    /// while it lives, or is told that it waits in vain when it is told to stop.
    fn has_answer(mut self, asks: Index, ask: Ask, service: Index) {
        if let About::One(service) = ask.input(service, 0).about() {
            self.recall(service);
        }
        let refused = self.core.is_own_end(asks, &ask.input(service, 0));
        let run = self.newest[service as usize];
        let row = self.core.row(service);
        let ends = row.live && !row.leaked && (row.plan.is_some() || row.signalled);
        // Nobody waits for who waits for what has failed: who was to wait for that is answered after all.
        let fails = self.core.rows.iter().enumerate().any(|(at, row)| {
            let by_itself = row.live && row.run_over && row.plan.is_none() && at as Index != asks;
            by_itself || row.delayed || row.cooling || row.leaked || row.late.is_some()
        }) || self.lives.values().any(|life| life.ill.is_some());
        // An earlier start of the same is taken for this one.
        let rolled_back = !self.core.rolled_back_with(service).is_empty();
        let caller = self.next_call + 1;
        let is_planned = self.core.row(asks).plan.is_some();
        self.asked = Some(Asked { asks, ask, service, caller, told: None, in_vain: None });
        let call = match ask {
            Ask::Start => Call::Start(service),
            Ask::Stop | Ask::StopUnused => Call::Stop(service, run),
            Ask::Restart => Call::Restart(service),
            Ask::Wait => Call::Wait,
        };
        self.call(call, |caller| ask.input(service, caller));
        // Who is to end already may be told that it waits in vain only when it is told to stop.
        let ends_by_call = !is_planned && self.core.row(asks).plan.is_some();
        self.quiesce_but(Some(asks));
        self.check(self.lives.contains_key(&asks), "who asks goes on");
        let Some(Asked { told, in_vain, .. }) = self.asked.take() else { return };
        let at = |what| format!("{asks} asks for {ask:?} of {service}: {what}");
        if refused || in_vain == Some(true) {
            let well =
                matches!(told, Some(Answer::Start(Ok(_)) | Answer::Stop(Ok(_)) | Answer::State(_)));
            self.check(!well || fails || rolled_back, &at("it waits in vain and is answered"));
            let in_time = refused || !ends_by_call || told.is_some();
            self.check(in_time, &at("it is not refused beforehand"));
            return;
        }
        let has_ended = self.lives.get(&service).is_none_or(|life| life.incarnation != run);
        let goes_on = ask == Ask::Wait && (!ends || has_ended);
        // Who was told to stop before others failed has been told what was known then.
        let too_early = fails && in_vain == Some(false);
        self.check(told.is_some() || goes_on || too_early, &at("it is not answered"));
    }

    pub(super) fn answered(&mut self, caller: u32, answer: Answer) {
        if let Some(asked) = self.asked.as_mut().filter(|asked| asked.caller == caller) {
            asked.told = Some(answer);
        }
    }

    /// Who was told to stop while it waits has that looked at.
    pub(super) fn asked_in_vain(&mut self) {
        let Some(asked) = &self.asked else { return };
        let is_told = self.lives.get(&asked.asks).is_some_and(|life| life.signalled || life.over);
        if is_told && asked.in_vain.is_none() && asked.told.is_none() {
            let up = matches!(asked.ask, Ask::Start | Ask::Restart);
            let in_vain = self.core.is_held_up(asked.service, up, asked.asks);
            self.asked = Some(Asked { in_vain: Some(in_vain), ..asked.clone() });
        }
    }
}
