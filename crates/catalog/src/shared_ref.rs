//! [`Ref`]: a handle on a descriptor. Built-in objects are made once, before the postmaster forks, and referred to
//! without a reference count: counting would write to pages that all processes share and give each a private copy.

use std::ops::Deref;
use std::rc::Rc;

/// A cheap, cloneable handle that dereferences to the descriptor.
#[derive(Debug)]
pub enum Ref<T: 'static> {
    /// Part of the program's read-only data.
    Static(&'static T),
    /// Built from catalog rows by this process.
    Counted(Rc<T>),
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        match self {
            Ref::Static(t) => Ref::Static(t),
            Ref::Counted(t) => Ref::Counted(t.clone()),
        }
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;
    fn deref(&self) -> &T {
        match self {
            Ref::Static(t) => t,
            Ref::Counted(t) => t,
        }
    }
}

impl<T> From<Rc<T>> for Ref<T> {
    fn from(t: Rc<T>) -> Self {
        Ref::Counted(t)
    }
}

impl<T> From<&'static T> for Ref<T> {
    fn from(t: &'static T) -> Self {
        Ref::Static(t)
    }
}
