//! What calls and paths mean: a name is jq's function unless the program defines it anew.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::{Opt, Part, Path};

use super::super::outputs::{Known, Outputs};
use super::terms::{Tree, choice, integer, is_each, own_path, path_of, pipe, stages, text, walk};

/// Functions that do not look at their input.
const CONSTANTS: [&str; 7] = ["true", "false", "null", "empty", "nan", "infinite", "now"];

/// How deep what is flattened may be, as a program would write it.
const NUMBERS: [&str; 9] = ["0", "1", "2", "3", "4", "5", "6", "7", "8"];

/// The functions that a program defines: these names do not mean jq's.
#[derive(Debug)]
pub(super) struct Names<'s> {
    pub(super) defined: Vec<(&'s str, usize)>,
}

impl<'s> Names<'s> {
    /// What `map(f)`, `[.[] | f]` and their like do to each element.
    pub(super) fn each(&self, term: &Tree<'s>) -> Option<Tree<'s>> {
        match term {
            Term::Call(_, arguments) if self.call(term, "map", 1) => Some(arguments[0].clone()),
            Term::Call(_, arguments) if self.call(term, "map_values", 1) => self.first_of(&arguments[0]),
            Term::Arr(Some(inner)) => self.stream(inner),
            // `.[] |= f` keeps the first output.
            Term::BinOp(left, BinaryOp::Update, right) => match own_path(left)? {
                [part] if is_each(part) => self.first_of(right),
                [part, rest @ ..] if is_each(part) => {
                    Some(Term::BinOp(Box::new(path_of(rest)), BinaryOp::Update, right.clone()))
                }
                _ => None,
            },
            // What is assigned is computed from the whole array, unless it is what it is.
            Term::BinOp(left, op @ (BinaryOp::Assign | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt), right)
                if self.is_literal(right) =>
            {
                match own_path(left)? {
                    [part, rest @ ..] if is_each(part) && !rest.is_empty() => {
                        Some(Term::BinOp(Box::new(path_of(rest)), op.clone(), right.clone()))
                    }
                    _ => None,
                }
            }
            Term::Call(_, arguments) if self.call(term, "flatten", arguments.len()) => self.flattened(arguments),
            Term::Call(_, arguments) if self.call(term, "del", 1) => {
                self.kept(&arguments[0]).or_else(|| Some(Term::Call("del", vec![self.within(&arguments[0])?])))
            }
            _ => None,
        }
    }

    /// The paths within each element, of paths that begin with `.[]`: `.a, .b` of `.[].a, .[].b`.
    fn within(&self, paths: &Tree<'s>) -> Option<Tree<'s>> {
        match paths {
            Term::BinOp(left, BinaryOp::Comma, right) => {
                let (left, right) = (self.within(left)?, self.within(right)?);
                Some(Term::BinOp(Box::new(left), BinaryOp::Comma, Box::new(right)))
            }
            Term::BinOp(left, BinaryOp::Pipe(None), right) if matches!(own_path(left)?, [part] if is_each(part)) => {
                self.are_paths(right).then(|| *right.clone())
            }
            path => match own_path(path)? {
                [part, rest @ ..] if is_each(part) && !rest.is_empty() => Some(path_of(rest)),
                _ => None,
            },
        }
    }

    /// Whether these are paths to something in their input.
    fn are_paths(&self, term: &Tree<'s>) -> bool {
        match term {
            Term::BinOp(left, BinaryOp::Comma, right) => self.are_paths(left) && self.are_paths(right),
            path => own_path(path).is_some_and(|path| !path.is_empty()),
        }
    }

    /// What `.[]`, `.[].a` and `.[] | f` give for each element.
    pub(super) fn stream(&self, term: &Tree<'s>) -> Option<Tree<'s>> {
        let parts = stages(term);
        let (first, rest) = parts.split_first()?;
        match own_path(first)? {
            [part, path @ ..] if is_each(part) => {
                let mut all = vec![path_of(path)];
                all.extend_from_slice(rest);
                Some(pipe(&all))
            }
            _ => None,
        }
    }

    /// Of each element what is in it, so many arrays deep.
    fn flattened(&self, arguments: &[Tree<'s>]) -> Option<Tree<'s>> {
        let all = |head: Tree<'s>| Term::Path(Box::new(head), Path(vec![(Part::Range(None, None), Opt::Essential)]));
        let inner = match arguments {
            [] => all(Term::Call("flatten", Vec::new())),
            [depth] => match integer(depth)? {
                1 => all(Term::Id),
                depth @ 2..=9 => {
                    let less = NUMBERS.get(usize::try_from(depth - 1).ok()?)?;
                    all(Term::Call("flatten", vec![Term::Num(less)]))
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(choice(self.is_of_type("array")?, inner, Term::Id))
    }

    /// Of each element the text that `join` with a text makes of it; arrays and objects stay, for `join` to refuse.
    pub(super) fn joined(&self, term: &Tree<'s>) -> Option<Tree<'s>> {
        let Term::Call(_, arguments) = term else { return None };
        if !self.call(term, "join", 1) || !self.is_literal(&arguments[0]) || self.defines("tojson", 0) {
            return None;
        }
        let tojson = || Term::Call("tojson", Vec::new());
        let (number, boolean) = (self.is_of_type("number")?, self.is_of_type("boolean")?);
        Some(choice(number, tojson(), choice(boolean, tojson(), Term::Id)))
    }

    /// `type == "array"`.
    fn is_of_type(&self, name: &'s str) -> Option<Tree<'s>> {
        let kind = Box::new(Term::Call("type", Vec::new()));
        (!self.defines("type", 0)).then(|| Term::BinOp(kind, BinaryOp::Cmp(Cmp::Eq), Box::new(text(name))))
    }

    /// Whether a term is one value, whatever its input is.
    pub(super) fn is_literal(&self, term: &Tree<'s>) -> bool {
        match term {
            Term::Num(_) | Term::Var(_) | Term::Arr(None) => true,
            Term::Str(_, parts) => !parts.iter().any(|part| matches!(part, StrPart::Term(_))),
            Term::Neg(inner) => matches!(**inner, Term::Num(_)),
            Term::Call(name @ ("true" | "false" | "null"), _) => self.call(term, name, 0),
            _ => false,
        }
    }

    /// What gives the first output of a term only.
    fn first_of(&self, term: &Tree<'s>) -> Option<Tree<'s>> {
        (!self.defines("first", 1)).then(|| Term::Call("first", vec![term.clone()]))
    }

    /// Whether the program defines this name anew.
    pub(super) fn defines(&self, name: &str, count: usize) -> bool {
        self.defined.iter().any(|(defined, arity)| *defined == name && *arity == count)
    }

    /// Whether a term is the same whatever its input is.
    pub(super) fn is_constant(&self, term: &Tree<'s>) -> bool {
        let constant = |term: &Tree<'s>| self.is_constant(term);
        match term {
            Term::Num(_) | Term::Var(_) | Term::Arr(None) => true,
            Term::Str(_, parts) => !parts.iter().any(|part| matches!(part, StrPart::Term(_))),
            Term::Arr(Some(inner)) | Term::Neg(inner) => constant(inner),
            Term::Obj(entries) => entries.iter().all(|(key, value)| {
                matches!(key, Term::Var(_) if value.is_none()) || constant(key) && value.as_ref().is_some_and(constant)
            }),
            Term::BinOp(left, BinaryOp::Math(_) | BinaryOp::Comma, right) => constant(left) && constant(right),
            Term::Call(name, arguments) => arguments.is_empty() && CONSTANTS.contains(name) && !self.defines(name, 0),
            _ => false,
        }
    }

    /// `limit(n; .[] | f)` and `first(.[] | f)`: what one element gives, which is never more, and how many there are.
    pub(super) fn limit(&self, term: &Tree<'s>) -> Option<(Tree<'s>, u64)> {
        match term {
            Term::Call(_, arguments) if self.call(term, "limit", 2) => {
                // A negative number is no limit.
                let count = u64::try_from(integer(&arguments[0])?).ok()?;
                let each = Term::Call("limit", vec![arguments[0].clone(), self.stream(&arguments[1])?]);
                Some((each, count))
            }
            Term::Call(_, arguments) if self.call(term, "first", 1) => {
                Some((Term::Call("first", vec![self.stream(&arguments[0])?]), 1))
            }
            _ => None,
        }
    }

    /// Whether a term has one output, unless it fails.
    fn is_single(&self, term: &Tree<'s>) -> bool {
        Known::but_for(&self.defined).outputs(term) == Outputs::One
    }

    /// Whether a term gives an array or an error.
    fn is_array(&self, term: &Tree<'s>) -> bool {
        let calls = |count, names: &[&str]| names.iter().any(|name| self.call(term, name, count));
        matches!(term, Term::Arr(_))
            || calls(0, &["sort", "unique", "keys", "to_entries"])
            || calls(1, &["sort_by", "group_by", "unique_by", "map"])
    }

    /// `first(a | .[] | f)` and `limit(n; a | .[] | f)`, where `a` has one output, as the stages `a` and `first(.[] | f)`,
    /// or if that is an array and `f` has one output, `a`, `.[:n]` and `.[] | f`: what is sorted first is not all held then.
    pub(super) fn taken_from(&self, term: &Tree<'s>) -> Option<Vec<Tree<'s>>> {
        let Term::Call(name, arguments) = term else { return None };
        let count = match &arguments[..] {
            [_] if self.call(term, "first", 1) => Term::Num("1"),
            [count, _] if self.call(term, "limit", 2) && integer(count)? > 0 => count.clone(),
            _ => return None,
        };
        let mut parts = stages(arguments.last()?);
        let at = parts.iter().position(|part| own_path(part).is_some_and(|path| path.first().is_some_and(is_each)))?;
        let behind = parts.split_off(at);
        if parts.is_empty() || !self.is_single(&pipe(&parts)) {
            return None;
        }
        let each = self.stream(&pipe(&behind))?;
        let is_all = matches!(own_path(&behind[0])?, [(_, Opt::Essential), ..]);
        if is_all && self.is_single(&each) && parts.last().is_some_and(|last| self.is_array(last)) {
            parts.push(path_of(&[(Part::Range(None, Some(count)), Opt::Essential)]));
            parts.extend(behind);
        } else {
            let mut arguments = arguments.clone();
            *arguments.last_mut()? = pipe(&behind);
            parts.push(Term::Call(name, arguments));
        }
        Some(parts)
    }

    /// `del(.[] | select(p))` as what keeps an element.
    fn kept(&self, deleted: &Tree<'s>) -> Option<Tree<'s>> {
        let parts = stages(deleted);
        let [each, select @ Term::Call(_, arguments)] = &parts[..] else { return None };
        let is_each = matches!(own_path(each)?, [(Part::Range(None, None), Opt::Essential)]);
        if !is_each || !self.call(select, "select", 1) || self.defines("not", 0) || self.defines("any", 0) {
            return None;
        }
        let call = |name| Term::Call(name, Vec::new());
        let mut chosen = vec![arguments[0].clone()];
        if !self.is_single(&chosen[0]) {
            chosen = vec![Term::Arr(Some(Box::new(pipe(&chosen)))), call("any")];
        }
        chosen.push(call("not"));
        Some(Term::Call("select", vec![pipe(&chosen)]))
    }

    /// Whether a program has the names that stand for aggregates' answers.
    pub(super) fn are_ours(&self, program: &Tree<'_>) -> bool {
        let mut taken = self.defined.iter().any(|(name, _)| *name == "__agg");
        walk(program, &mut |term| taken |= matches!(term, Term::Var(name) if name.starts_with("$__agg")));
        taken
    }

    /// Whether `term` calls jq's function of this name.
    pub(super) fn call(&self, term: &Tree<'s>, name: &str, count: usize) -> bool {
        matches!(term, Term::Call(called, arguments) if *called == name && arguments.len() == count)
            && !self.defines(name, count)
    }
}
