//! A list that costs next to nothing while it is empty.

use std::collections::{VecDeque, vec_deque};

/// A list that is nearly always empty, and then no larger than a pointer and without memory of its
/// own. What came first mostly goes first, which moves nothing of the rest.
#[derive(Clone)]
#[expect(clippy::box_collection, reason = "every service has some of them")]
pub(crate) struct Few<T>(Option<Box<VecDeque<T>>>);

impl<T> Few<T> {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn push(&mut self, item: T) {
        self.0.get_or_insert_default().push_back(item);
    }

    /// Adds `item`. When there is no room for it, what is not `wanted` any more goes first: so a list of
    /// things that nobody takes out is at most twice as long as what is wanted of it, and a bit.
    pub(crate) fn push_sweeping(&mut self, item: T, wanted: impl Fn(&T) -> bool) {
        let list = self.0.get_or_insert_default();
        if list.len() == list.capacity() {
            list.retain(wanted);
            // As many come before the next look at all of them.
            list.reserve(list.len() + 1);
        }
        list.push_back(item);
    }

    /// Whether `item` is in a list in ascending order.
    pub(crate) fn has(&self, item: &T) -> bool
    where
        T: Ord,
    {
        self.0.as_ref().is_some_and(|list| list.binary_search(item).is_ok())
    }

    /// What is in it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|list| list.iter())
    }

    /// Takes `item` out of a list in ascending order.
    pub(crate) fn remove(&mut self, item: &T)
    where
        T: Ord,
    {
        let Some(list) = &mut self.0 else { return };
        if let Ok(place) = list.binary_search(item) {
            list.remove(place);
        }
        if list.is_empty() {
            self.0 = None;
        }
    }

    /// Takes all that is in it.
    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = vec_deque::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map_or_else(VecDeque::new, |list| *list).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c06_a_list_that_is_swept_keeps_what_is_wanted_in_order_and_stays_short() {
        let mut list = Few::NONE;
        let looks = std::cell::Cell::new(0);
        for item in 0..10_000 {
            list.push_sweeping(item, |item| {
                looks.set(looks.get() + 1);
                item % 1_000 == 0
            });
            assert!(list.0.as_ref().is_some_and(|list| list.capacity() < 50));
        }
        let wanted: Vec<_> = list.into_iter().filter(|item| item % 1_000 == 0).collect();
        assert_eq!(wanted, (0..10).map(|item| item * 1_000).collect::<Vec<_>>());
        assert!(looks.get() < 30_000, "{}", looks.get());
    }
}
