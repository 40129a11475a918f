//! A list that costs next to nothing while it is empty.

/// A list that is nearly always empty, and then no larger than a pointer and without memory of its
/// own.
#[derive(Clone)]
#[expect(clippy::box_collection, reason = "every service has some of them")]
pub(crate) struct Few<T>(Option<Box<Vec<T>>>);

impl<T> Few<T> {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn push(&mut self, item: T) {
        self.0.get_or_insert_default().push(item);
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
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map_or_else(Vec::new, |list| *list).into_iter()
    }
}
