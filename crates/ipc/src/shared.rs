//! The marker traits that say what may live in shared memory, a macro that derives them, and `Guarded`, plain data
//! behind a lock. The rule they keep: zero bytes are a valid value, and no value holds a pointer into one process.

use crate::{ExclusiveGuard, LwLock, Proc, SharedGuard, Tranche};
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
};

/// A type that may be placed in the shared segment.
///
/// # Safety
/// All-zero bytes must be a valid value, it must not contain pointers into private memory, it must be `repr(C)` (or
/// `transparent`), and every mutation through `&self` must be race-free between processes.
pub unsafe trait Shared: Sync + 'static {}

/// Plain old data: copied as bytes, all-zero valid, no pointers.
///
/// # Safety
/// All-zero bytes must be a valid value, and the type must hold no pointers or references.
pub unsafe trait Plain: Copy + Send + 'static {}

macro_rules! impl_marker {
    ($tr:ident: $($t:ty),+ $(,)?) => { $(
        // SAFETY: integers and atomic integers are valid when zero and hold no pointers.
        unsafe impl $tr for $t {}
    )+ };
}
impl_marker!(Shared: AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, AtomicI32, AtomicI64);
impl_marker!(Plain: u8, u16, u32, u64, usize, i8, i16, i32, i64, bool, f32, f64, ());
impl_marker!(Plain: common::Oid, common::Xid, common::Lsn, common::BlockNumber, common::CommandId);
impl_marker!(Plain: common::MultiXactId);

// SAFETY: an array of shared values is shared; zero bytes are valid element by element.
unsafe impl<T: Shared, const N: usize> Shared for [T; N] {}
// SAFETY: an array of plain values is plain.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Declares a `repr(C)` struct whose fields are all [`Shared`], and marks it [`Shared`]. The field types are checked,
/// so the macro is safe to use from crates without unsafe code.
#[macro_export]
macro_rules! shared_struct {
    ($(#[$m:meta])* $vis:vis struct $name:ident { $($(#[$fm:meta])* $fvis:vis $f:ident : $t:ty),* $(,)? }) => {
        $(#[$m])*
        #[repr(C)]
        $vis struct $name { $($(#[$fm])* $fvis $f: $t),* }
        const _: fn() = || {
            fn field_is_shared<T: $crate::Shared>() {}
            $(field_is_shared::<$t>();)*
        };
        // SAFETY: repr(C) and every field is `Shared`, checked just above.
        unsafe impl $crate::Shared for $name {}
    };
}

/// Declares a `repr(C)`, `Copy` struct whose fields are all [`Plain`], and marks it [`Plain`].
#[macro_export]
macro_rules! plain_struct {
    ($(#[$m:meta])* $vis:vis struct $name:ident { $($(#[$fm:meta])* $fvis:vis $f:ident : $t:ty),* $(,)? }) => {
        $(#[$m])*
        #[derive(Clone, Copy)]
        #[repr(C)]
        $vis struct $name { $($(#[$fm])* $fvis $f: $t),* }
        const _: fn() = || {
            fn field_is_plain<T: $crate::Plain>() {}
            $(field_is_plain::<$t>();)*
        };
        // SAFETY: repr(C) and every field is `Plain`, checked just above.
        unsafe impl $crate::Plain for $name {}
    };
}

/// Plain data behind its own LWLock.
#[repr(C)]
pub struct Guarded<T> {
    lock: LwLock,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached only through the guards of `lock`, or not at all.
unsafe impl<T: Plain> Sync for Guarded<T> {}
// SAFETY: `LwLock` is Shared, `T: Plain` is valid when zero, access is serialised by the lock.
unsafe impl<T: Plain> Shared for Guarded<T> {}

impl<T: Plain> Guarded<T> {
    /// Names the lock; to be called once, before the first fork.
    pub fn init(&self, tranche: Tranche) {
        self.lock.init(tranche);
    }
    /// Waits for exclusive access.
    pub fn lock<'a>(&'a self, me: &'a Proc) -> GuardedMut<'a, T> {
        GuardedMut { _guard: self.lock.exclusive(me), value: &self.value }
    }
    /// Waits for shared access.
    pub fn share<'a>(&'a self, me: &'a Proc) -> GuardedRef<'a, T> {
        GuardedRef { _guard: self.lock.shared(me), value: &self.value }
    }
    /// The lock itself (wait-event naming, tests).
    pub fn raw(&self) -> &LwLock {
        &self.lock
    }
}

/// Exclusive access to the value of a [`Guarded`].
pub struct GuardedMut<'a, T> {
    _guard: ExclusiveGuard<'a>,
    value: &'a UnsafeCell<T>,
}
/// Shared access to the value of a [`Guarded`].
pub struct GuardedRef<'a, T> {
    _guard: SharedGuard<'a>,
    value: &'a UnsafeCell<T>,
}

impl<T> Deref for GuardedMut<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the exclusive lock is held for the life of self.
        unsafe { &*self.value.get() }
    }
}
impl<T> DerefMut for GuardedMut<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the exclusive lock is held and self is borrowed mutably.
        unsafe { &mut *self.value.get() }
    }
}
impl<T> Deref for GuardedRef<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the shared lock is held, so nobody has exclusive access.
        unsafe { &*self.value.get() }
    }
}
