//! Who runs what when: due events to environments, overdue ones to their end.

use jiff::Timestamp;

use super::queue::Queued;
use super::{
    Answer, Effect, Environment, EnvironmentId, FunctionSpec, Invocation, Lambda, Origin, Work,
};
use crate::journal::JournalEvent;

impl Lambda {
    pub(super) fn end_overdue(&mut self, now: Timestamp) {
        let overdue: Vec<_> = self
            .environments
            .iter()
            .filter_map(|(id, environment)| {
                let work = environment.work.as_ref().filter(|work| work.until <= now)?;
                Some((*id, work.until.duration_since(work.began)))
            })
            .collect();
        for (id, after) in overdue {
            self.forget(id, now, |request_id| Answer::timed_out(request_id, after));
        }
    }

    pub(super) fn try_start(&mut self, mut queued: Queued, now: Timestamp) {
        let Some(function) = self.functions.get(&queued.function).cloned() else {
            return;
        };
        if queued.age(now) > function.max_event_age {
            self.give_up(&queued, "EventAgeExceeded");
        } else if self.has_room(&function) {
            let invocation = Invocation {
                request_id: queued.request_id.clone(),
                payload: queued.payload.clone(),
                arn: function.arn.clone(),
            };
            self.hand(&function, invocation, Origin::Queue(queued), now);
        } else {
            queued.throttled(&self.settings, now);
            self.queue.push(queued);
        }
    }

    /// Whether one more invocation may run: reserved concurrency is a function's own, the rest
    /// shared.
    pub(super) fn has_room(&self, function: &FunctionSpec) -> bool {
        let busy = |wanted: &dyn Fn(&str) -> bool| {
            self.environments
                .values()
                .filter(|environment| environment.work.is_some() && wanted(&environment.function))
                .count()
        };
        let (used, limit) = if let Some(reserved) = function.reserved {
            (busy(&|name| name == function.name), reserved)
        } else {
            let reserved: u32 = self.functions.values().filter_map(|f| f.reserved).sum();
            let shared =
                |name: &str| self.functions.get(name).is_some_and(|f| f.reserved.is_none());
            (busy(&shared), self.settings.account_concurrency.saturating_sub(reserved))
        };
        !self.throttled && u32::try_from(used).is_ok_and(|used| used < limit)
    }

    pub(super) fn hand(
        &mut self,
        function: &FunctionSpec,
        invocation: Invocation,
        origin: Origin,
        now: Timestamp,
    ) {
        let idle = self
            .environments
            .iter()
            .find(|(_, environment)| {
                environment.function == function.name && environment.work.is_none()
            })
            .map(|(id, _)| *id);
        let id = idle.unwrap_or_else(|| {
            self.started += 1;
            let environment = EnvironmentId(self.started);
            self.effects.push(Effect::Start { environment, function: function.clone() });
            environment
        });
        let kind = match origin {
            Origin::Caller => "sync",
            Origin::Queue(_) => "async",
        };
        self.journal.push(JournalEvent::Invoked {
            function: function.name.clone(),
            request_id: invocation.request_id.clone(),
            kind: kind.to_owned(),
        });
        let work = Work {
            request_id: invocation.request_id.clone(),
            origin,
            began: now,
            until: now + self.settings.init_timeout,
            running: false,
        };
        let environment = Environment { function: function.name.clone(), work: Some(work) };
        self.environments.insert(id, environment);
        self.effects.push(Effect::Hand { environment: id, invocation });
    }

    pub(super) fn finish(&mut self, function: &str, work: Work, answer: Answer, now: Timestamp) {
        self.journal.push(JournalEvent::InvocationEnded {
            function: function.to_owned(),
            request_id: work.request_id.clone(),
            ok: answer.error.is_none(),
            ms: i64::try_from(now.duration_since(work.began).as_millis()).unwrap_or(i64::MAX),
        });
        match work.origin {
            Origin::Caller => {
                self.effects.push(Effect::Answer { request_id: work.request_id, answer });
            }
            Origin::Queue(queued) if answer.error.is_some() => self.retry(queued, now),
            Origin::Queue(_) => {}
        }
    }

    fn retry(&mut self, mut queued: Queued, now: Timestamp) {
        let most = self.functions.get(&queued.function).map_or(0, |function| function.max_retries);
        if queued.failed(most, &self.settings, now) {
            self.queue.push(queued);
        } else {
            self.give_up(&queued, "RetriesExhausted");
        }
    }

    fn give_up(&mut self, queued: &Queued, reason: &str) {
        self.journal.push(JournalEvent::InvocationDropped {
            function: queued.function.clone(),
            request_id: queued.request_id.clone(),
            reason: reason.to_owned(),
        });
    }
}
