//! [`Object`]: the members of an object in the order in which their keys first came. Few members are searched one by one,
//! many through a table.

use super::value::{Val, release};
use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use smol_str::SmolStr;

/// From how many members on a table pays.
const MANY: usize = 24;

/// The members of an object.
#[derive(Clone, Debug)]
pub(crate) struct Object(Members);

#[derive(Clone, Debug)]
enum Members {
    Few(Vec<(SmolStr, Val)>),
    Many(IndexMap<SmolStr, Val, DefaultHashBuilder>),
}

impl Default for Object {
    fn default() -> Object {
        Object(Members::Few(Vec::new()))
    }
}

impl Object {
    pub(crate) fn with_capacity(members: usize) -> Object {
        if members > MANY {
            return Object(Members::Many(IndexMap::with_capacity_and_hasher(members, DefaultHashBuilder::default())));
        }
        Object(Members::Few(Vec::with_capacity(members)))
    }

    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Members::Few(few) => few.len(),
            Members::Many(many) => many.len(),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Val> {
        match &self.0 {
            Members::Few(few) => few.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Members::Many(many) => many.get(key),
        }
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Val> {
        match &mut self.0 {
            Members::Few(few) => few.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value),
            Members::Many(many) => many.get_mut(key),
        }
    }

    /// Sets the value of a key, where the key is, or as the last member.
    pub(crate) fn insert(&mut self, key: SmolStr, value: Val) {
        if let Some(place) = self.get_mut(&key) {
            *place = value;
            return;
        }
        match &mut self.0 {
            Members::Few(few) if few.len() < MANY => few.push((key, value)),
            Members::Few(few) => {
                let mut many: IndexMap<_, _, _> = std::mem::take(few).into_iter().collect();
                many.insert(key, value);
                self.0 = Members::Many(many);
            }
            Members::Many(many) => {
                many.insert(key, value);
            }
        }
    }

    /// Takes a member out; the others keep their order.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Val> {
        match &mut self.0 {
            Members::Few(few) => {
                let at = few.iter().position(|(name, _)| name == key)?;
                Some(few.remove(at).1)
            }
            Members::Many(many) => many.shift_remove(key),
        }
    }

    pub(crate) fn iter(&self) -> Iter<'_> {
        Iter { object: self, next: 0 }
    }

    /// The member at a place.
    pub(crate) fn at(&self, place: usize) -> Option<(&SmolStr, &Val)> {
        match &self.0 {
            Members::Few(few) => few.get(place).map(|(key, value)| (key, value)),
            Members::Many(many) => many.get_index(place),
        }
    }

    /// The members by their keys, in order of code points.
    pub(crate) fn sorted(&self) -> Vec<(&SmolStr, &Val)> {
        let mut members: Vec<_> = self.iter().collect();
        members.sort_unstable_by_key(|(key, _)| *key);
        members
    }

    pub(crate) fn values_mut(&mut self) -> Box<dyn Iterator<Item = &mut Val> + '_> {
        match &mut self.0 {
            Members::Few(few) => Box::new(few.iter_mut().map(|(_, value)| value)),
            Members::Many(many) => Box::new(many.values_mut()),
        }
    }

    /// Keeps the members that `f` gives a value for.
    pub(crate) fn try_map<E>(&mut self, mut f: impl FnMut(Val) -> Result<Option<Val>, E>) -> Result<(), E> {
        let mut gone = Vec::new();
        for at in 0..self.len() {
            let Some((key, value)) = self.at_mut(at) else { break };
            match f(std::mem::take(value))? {
                Some(new) => *value = new,
                None => gone.push(key.clone()),
            }
        }
        if !gone.is_empty() {
            let gone: std::collections::HashSet<SmolStr> = gone.into_iter().collect();
            match &mut self.0 {
                Members::Few(few) => few.retain(|(key, _)| !gone.contains(key)),
                Members::Many(many) => many.retain(|key, _| !gone.contains(key)),
            }
        }
        Ok(())
    }

    fn at_mut(&mut self, place: usize) -> Option<(&SmolStr, &mut Val)> {
        match &mut self.0 {
            Members::Few(few) => few.get_mut(place).map(|(key, value)| (&*key, value)),
            Members::Many(many) => many.get_index_mut(place),
        }
    }
}

/// The members of an object, in order.
pub(crate) struct Iter<'o> {
    object: &'o Object,
    next: usize,
}

impl<'o> Iterator for Iter<'o> {
    type Item = (&'o SmolStr, &'o Val);

    fn next(&mut self) -> Option<Self::Item> {
        let member = self.object.at(self.next)?;
        self.next += 1;
        Some(member)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.object.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl Drop for Object {
    fn drop(&mut self) {
        match &mut self.0 {
            Members::Few(few) => release(few.iter_mut().map(|(_, value)| value)),
            Members::Many(many) => release(many.values_mut()),
        }
    }
}

impl FromIterator<(SmolStr, Val)> for Object {
    fn from_iter<I: IntoIterator<Item = (SmolStr, Val)>>(members: I) -> Object {
        let members = members.into_iter();
        let mut object = Object::with_capacity(members.size_hint().0);
        for (key, value) in members {
            object.insert(key, value);
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_members_behave_alike() {
        for count in [3, MANY, MANY + 1, 200] {
            let mut object: Object = (0..count).map(|i| (format!("k{i}").into(), Val::count(i))).collect();
            object.insert("k1".into(), Val::Null);
            assert!(object.remove("k0").is_some() && object.remove("k0").is_none());
            assert_eq!(object.len(), count - 1);
            assert_eq!(object.at(0).map(|(key, _)| key.as_str()), Some("k1"));
            assert!(matches!(object.get("k1"), Some(Val::Null)));
            let keys: Vec<_> = object.iter().map(|(key, _)| key.to_string()).collect();
            assert_eq!(keys, (1..count).map(|i| format!("k{i}")).collect::<Vec<_>>());
        }
    }
}
