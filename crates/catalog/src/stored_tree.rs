//! [`StoredTree`]: the text of an expression or query tree as a catalog row holds it, with the tree read from it kept beside
//! it. What the tree is made of is not known here; the layer above reads it, once for each descriptor.

use common::Result;
use std::any::Any;
use std::cell::OnceCell;
use std::ops::Deref;
use std::rc::Rc;

/// A `pg_node_tree` value. Dereferences to its text.
#[derive(Clone)]
pub struct StoredTree {
    text: Rc<str>,
    tree: OnceCell<Rc<dyn Any>>,
}

impl StoredTree {
    /// The tree, made by `read` from the text at the first call. A call for another type than the first reads anew.
    pub fn read<T: 'static>(&self, read: impl FnOnce(&str) -> Result<T>) -> Result<Rc<T>> {
        if let Some(known) = self.tree.get()
            && let Ok(t) = known.clone().downcast::<T>()
        {
            return Ok(t);
        }
        let t = Rc::new(read(&self.text)?);
        let _ = self.tree.set(t.clone());
        Ok(t)
    }
}

impl Deref for StoredTree {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl From<String> for StoredTree {
    fn from(text: String) -> Self {
        StoredTree { text: text.into(), tree: OnceCell::new() }
    }
}

impl From<&str> for StoredTree {
    fn from(text: &str) -> Self {
        StoredTree { text: text.into(), tree: OnceCell::new() }
    }
}

impl std::fmt::Debug for StoredTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_once_for_a_type() {
        let t = StoredTree::from("7");
        let number = |s: &str| Ok(s.parse::<u32>().unwrap());
        let a = t.read(number).unwrap();
        assert!(Rc::ptr_eq(&a, &t.read(|_| -> Result<u32> { unreachable!() }).unwrap()));
        assert_eq!(*t.read(|s| Ok(s.to_string())).unwrap(), "7");
        assert_eq!(&*t, "7");
    }
}
