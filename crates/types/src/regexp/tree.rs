//! What has to be worked out once the begin and end of a match are known: which part matched which text. Parts whose
//! inside nobody sees are leaves; a row of them with one preference is one leaf.

use super::ast::{Ast, BACKREF, CAPTURES, INFINITE, SHORTER, combine, intricate, preference, upward};
use super::dfa::Dfa;
use super::program::Program;
use common::Result;
use std::cell::RefCell;

/// A part and its automata, made when first needed.
#[derive(Debug)]
pub struct Part {
    pub node: Node,
    /// Does it take the shortest text?
    pub short: bool,
    /// Has it a back-reference inside?
    pub backref: bool,
    /// The groups inside, from and to (exclusive).
    pub groups: (u32, u32),
    ast: Ast,
    forward: RefCell<Option<Box<Dfa>>>,
    /// What follows this part in its row, read backwards.
    suffix: RefCell<Option<Box<Dfa>>>,
}

#[derive(Debug)]
pub enum Node {
    Leaf,
    Row(Vec<Part>),
    Choice(Vec<Part>),
    Capture(u32, Box<Part>),
    Repeat(u16, u16, Box<Part>),
    Back(u32, u16, u16),
}

fn groups_of(a: &Ast, g: &mut (u32, u32)) {
    match a {
        Ast::Group(inner, n) => {
            if let Some(n) = n {
                *g = if g.0 == g.1 { (*n, *n + 1) } else { (g.0.min(*n), g.1.max(*n + 1)) };
            }
            groups_of(inner, g);
        }
        Ast::Repeat(inner, ..) => groups_of(inner, g),
        Ast::Cat(v) | Ast::Alt(v) => v.iter().for_each(|a| groups_of(a, g)),
        _ => {}
    }
}

impl Part {
    fn new(node: Node, flags: u8, ast: Ast) -> Part {
        let mut groups = (0, 0);
        groups_of(&ast, &mut groups);
        Part {
            node,
            short: preference(flags) == SHORTER,
            backref: flags & BACKREF != 0,
            groups,
            ast,
            forward: RefCell::new(None),
            suffix: RefCell::new(None),
        }
    }
    fn leaf(ast: Ast, flags: u8) -> Part {
        Part::new(Node::Leaf, flags, ast)
    }

    /// The tree of a pattern.
    pub fn of(ast: &Ast) -> Part {
        let flags = ast.attributes();
        if !intricate(flags) {
            return Part::leaf(ast.clone(), flags);
        }
        match ast {
            Ast::Alt(v) => Part::new(Node::Choice(v.iter().map(Part::of).collect()), flags, ast.clone()),
            Ast::Cat(v) => Part::row(v),
            Ast::Group(inner, None) => Part::of(inner),
            _ => Part::row(std::slice::from_ref(ast)),
        }
    }

    fn row(items: &[Ast]) -> Part {
        let mut parts = Vec::new();
        let mut plain: Vec<Ast> = Vec::new();
        let mut plain_flags = 0;
        let mut all = 0;
        for item in items {
            let (atom, prefer) = match item {
                Ast::Repeat(a, _, _, p) => (&**a, *p),
                a => (a, 0),
            };
            let hard = matches!(atom, Ast::Group(_, Some(_)) | Ast::Back(..));
            let f = plain_flags | prefer | atom.attributes();
            all = combine(all, item.attributes());
            if !hard && !intricate(upward(f)) {
                plain.push(item.clone());
                plain_flags = f;
                continue;
            }
            if !plain.is_empty() {
                parts.push(Part::leaf(Ast::Cat(std::mem::take(&mut plain)), plain_flags));
            }
            plain_flags = 0;
            Part::quantified(item, &mut parts);
        }
        if !plain.is_empty() {
            parts.push(Part::leaf(Ast::Cat(plain), plain_flags));
        }
        if parts.len() == 1
            && let Some(p) = parts.pop()
        {
            return p;
        }
        Part::new(Node::Row(parts), all, Ast::Cat(items.to_vec()))
    }

    /// An atom by itself.
    fn atom(a: &Ast) -> Part {
        match a {
            Ast::Group(inner, Some(n)) => {
                Part::new(Node::Capture(*n, Box::new(Part::of(inner))), a.attributes(), a.clone())
            }
            Ast::Back(n, _) => Part::new(Node::Back(*n, 1, 1), BACKREF, a.clone()),
            a => Part::of(a),
        }
    }

    /// An atom that is not plain, with its quantifier.
    fn quantified(item: &Ast, out: &mut Vec<Part>) {
        let Ast::Repeat(a, min, max, prefer) = item else {
            out.push(Part::atom(item));
            return;
        };
        let flags = a.attributes();
        let whole = combine(*prefer, flags);
        let same = *prefer == 0 || preference(flags) == 0 || *prefer == preference(flags);
        if *max == 0 {
            out.push(Part::leaf(Ast::Empty, 0));
        } else if let Ast::Back(n, _) = &**a {
            out.push(Part::new(Node::Back(*n, *min, *max), BACKREF | prefer, item.clone()));
        } else if (*min, *max) == (1, 1) && same {
            out.push(Part::atom(a));
        } else if flags & (CAPTURES | BACKREF) == 0 {
            out.push(Part::leaf(item.clone(), whole));
        } else if *min > 0 && flags & BACKREF == 0 {
            let less = if *max == INFINITE { INFINITE } else { max - 1 };
            let mut first = Part::leaf(Ast::Repeat(a.clone(), min - 1, less, *prefer), whole);
            first.groups = (0, 0);
            out.push(first);
            out.push(Part::atom(a));
        } else {
            out.push(Part::new(Node::Repeat(*min, *max, Box::new(Part::atom(a))), whole, item.clone()));
        }
    }

    /// Runs `f` with the automaton that reads the part forwards.
    pub fn with_forward<R>(&self, f: impl FnOnce(&mut Dfa) -> R) -> Result<R> {
        let mut d = match self.forward.borrow_mut().take() {
            Some(d) => d,
            None => Box::new(Dfa::new(Program::new([&self.ast].into_iter(), false)?, false, false)),
        };
        let r = f(&mut d);
        *self.forward.borrow_mut() = Some(d);
        Ok(r)
    }
    /// Runs `f` with the automaton that reads what follows the part in its row, backwards.
    pub fn with_suffix<R>(&self, rest: &[Part], f: impl FnOnce(&mut Dfa) -> R) -> Result<R> {
        let mut d = match self.suffix.borrow_mut().take() {
            Some(d) => d,
            None => Box::new(Dfa::new(Program::new(rest.iter().map(|p| &p.ast), true)?, true, false)),
        };
        let r = f(&mut d);
        *self.suffix.borrow_mut() = Some(d);
        Ok(r)
    }
}
