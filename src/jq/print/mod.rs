//! Syntax trees as text: jaq's compiler takes text only, so a tree that was rewritten is printed and read again. What is
//! printed parses to the same tree; parentheses stand wherever one could be in doubt, but
//! not between operators of one kind.

mod parts;

use jaq_core::load::parse::{BinaryOp, Def, Term};
use parts::{definition, object, operator, pattern, step, string};
use std::fmt::Write;

/// The text of a tree.
pub(crate) fn print(term: &Term<&str>) -> String {
    let mut out = String::new();
    any(term, &mut out);
    out
}

/// The text of definitions.
pub(crate) fn print_definitions(definitions: &[Def<&str>]) -> String {
    let mut out = String::new();
    definitions.iter().for_each(|one| definition(one, &mut out));
    out
}

/// A term where any may stand.
fn any(term: &Term<&str>, out: &mut String) {
    match term {
        Term::BinOp(left, BinaryOp::Pipe(Some(bound)), right) => {
            operand(left, out);
            out.push_str(" as ");
            pattern(bound, out);
            out.push_str(" | ");
            // All that follows belongs to it.
            any(right, out);
        }
        Term::BinOp(left, op, right) => {
            // A long chain of one operator has no brackets: there may be only so many in one another.
            let text = operator(op);
            let same = |term: &Term<&str>| match term {
                Term::BinOp(_, BinaryOp::Pipe(Some(_)), _) => false,
                Term::BinOp(_, other, _) => operator(other) == text,
                _ => false,
            };
            if binds_left_first(op) && same(left) {
                any(left, out)
            } else {
                operand(left, out)
            }
            // Writing to a string does not fail, here and below.
            let _ = write!(out, " {text} ");
            if matches!(op, BinaryOp::Pipe(None)) && same(right) { any(right, out) } else { operand(right, out) }
        }
        Term::Label(name, body) => {
            let _ = write!(out, "label {name} | ");
            operand(body, out);
        }
        Term::Def(definitions, body) => {
            definitions.iter().for_each(|one| definition(one, out));
            match **body {
                // Which would be more of the same definitions.
                Term::Def(..) => parenthesised(body, out),
                _ => any(body, out),
            }
        }
        Term::Neg(inner) => {
            out.push('-');
            operand(inner, out);
        }
        Term::TryCatch(body, Some(catch)) => {
            out.push_str("try ");
            operand(body, out);
            out.push_str(" catch ");
            operand(catch, out);
        }
        _ => operand(term, out),
    }
}

fn binds_left_first(op: &BinaryOp<&str>) -> bool {
    matches!(op, BinaryOp::Comma | BinaryOp::Alt | BinaryOp::Or | BinaryOp::And | BinaryOp::Math(_))
}

/// A term where only one without operators may stand.
fn operand(term: &Term<&str>, out: &mut String) {
    match term {
        Term::BinOp(..) | Term::Label(..) | Term::Def(..) | Term::Neg(_) | Term::TryCatch(_, Some(_)) => {
            parenthesised(term, out);
        }
        Term::Id => out.push('.'),
        Term::Recurse => out.push_str(".."),
        Term::Num(text) | Term::Var(text) => out.push_str(text),
        Term::Str(format, parts) => string(*format, parts, out),
        Term::Arr(None) => out.push_str("[]"),
        Term::Arr(Some(inner)) => {
            out.push('[');
            any(inner, out);
            out.push(']');
        }
        Term::Obj(members) => object(members, out),
        Term::Break(label) => {
            let _ = write!(out, "break {label}");
        }
        Term::Fold(name, source, bound, arguments) => {
            let _ = write!(out, "{name} ");
            operand(source, out);
            out.push_str(" as ");
            pattern(bound, out);
            out.push(' ');
            list(arguments, out);
        }
        Term::TryCatch(body, None) => {
            parenthesised(body, out);
            out.push('?');
        }
        Term::IfThenElse(branches, otherwise) => {
            for (place, (condition, then)) in branches.iter().enumerate() {
                out.push_str(if place == 0 { "if " } else { " elif " });
                any(condition, out);
                out.push_str(" then ");
                any(then, out);
            }
            if let Some(otherwise) = otherwise {
                out.push_str(" else ");
                any(otherwise, out);
            }
            out.push_str(" end");
        }
        Term::Call(name, arguments) => {
            out.push_str(name);
            list(arguments, out);
        }
        Term::Path(head, path) => {
            match **head {
                Term::Id => out.push('.'),
                _ => parenthesised(head, out),
            }
            let of_input = matches!(**head, Term::Id);
            path.0.iter().enumerate().for_each(|(place, part)| step(part, place == 0 && of_input, out));
        }
    }
}

fn parenthesised(term: &Term<&str>, out: &mut String) {
    out.push('(');
    any(term, out);
    out.push(')');
}

fn list(arguments: &[Term<&str>], out: &mut String) {
    for (place, argument) in arguments.iter().enumerate() {
        out.push(if place == 0 { '(' } else { ';' });
        any(argument, out);
    }
    if !arguments.is_empty() {
        out.push(')');
    }
}
