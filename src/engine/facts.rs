//! What is known of a plan before it runs: the names of its verbs, and what it needs at one time.

/// Gathered by [`Plan::describe`](super::Plan::describe), source first.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) verbs: Vec<String>,
    /// Stores that are open, or have something set aside, at one time: that of a verb that gathers is, while the plan
    /// before it runs.
    pub(crate) stores: u32,
    /// Phases that run at one time, each with a gate of its own.
    pub(crate) phases: u32,
}

impl Facts {
    pub(crate) fn new() -> Facts {
        Facts { verbs: Vec::new(), stores: 0, phases: 1 }
    }

    pub(crate) fn verb(&mut self, name: &str) {
        self.verbs.push(name.to_owned());
    }

    /// A verb with a store.
    pub(crate) fn gathering(&mut self, name: &str) {
        self.verb(name);
        self.stores += 1;
    }

    /// A verb whose step sits between two phases.
    pub(crate) fn between(&mut self, name: &str) {
        self.verb(name);
        self.phases += 1;
    }

    /// What is known of a plan already.
    pub(crate) fn extend(&mut self, plan: &Facts) {
        self.verbs.extend_from_slice(&plan.verbs);
        self.stores += plan.stores;
        self.phases += plan.phases - 1;
    }

    /// Two plans that run one after the other. What the second one's stores need is set aside while the first one runs.
    pub(crate) fn in_turn(&mut self, first: impl FnOnce(&mut Facts), second: impl FnOnce(&mut Facts)) {
        let before = self.phases;
        first(self);
        let most = std::mem::replace(&mut self.phases, before);
        second(self);
        self.phases = self.phases.max(most);
    }
}
