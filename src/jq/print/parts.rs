//! The parts of trees that are no terms: steps of paths, strings, members, patterns, definitions, operators.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::{Opt, Part};
use std::fmt::Write;

use super::{any, operand, parenthesised};

/// The key of `.key`, where it can be written so.
fn name<'s>(part: &Part<Term<&'s str>>) -> Option<&'s str> {
    let Part::Index(Term::Str(None, parts)) = part else { return None };
    match parts[..] {
        [StrPart::Str(name)]
            if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') =>
        {
            Some(name)
        }
        _ => None,
    }
}

pub(super) fn step((part, opt): &(Part<Term<&str>>, Opt), first: bool, out: &mut String) {
    if let Some(name) = name(part) {
        // The input alone has its dot already.
        if !first {
            out.push('.');
        }
        out.push_str(name);
    } else {
        out.push('[');
        match part {
            Part::Index(index) => any(index, out),
            Part::Range(from, to) => {
                if let Some(from) = from {
                    any(from, out);
                }
                if from.is_some() || to.is_some() {
                    out.push(':');
                }
                if let Some(to) = to {
                    any(to, out);
                }
            }
        }
        out.push(']');
    }
    if let Opt::Optional = opt {
        out.push('?');
    }
}

pub(super) fn string(format: Option<&str>, parts: &[StrPart<&str, Term<&str>>], out: &mut String) {
    if let Some(format) = format {
        let _ = write!(out, "{format} ");
    }
    out.push('"');
    for part in parts {
        match part {
            // As it stood between quotation marks: nothing in it needs an escape.
            StrPart::Str(text) => out.push_str(text),
            StrPart::Char(char) => drop(write!(out, "\\u{:04x}", u32::from(*char))),
            StrPart::Term(term) => {
                out.push('\\');
                parenthesised(term, out);
            }
        }
    }
    out.push('"');
}

pub(super) fn object(members: &[(Term<&str>, Option<Term<&str>>)], out: &mut String) {
    out.push('{');
    for (place, (key, value)) in members.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        match value {
            None => operand(key, out),
            Some(value) => {
                match key {
                    Term::Str(None, _) => operand(key, out),
                    _ => parenthesised(key, out),
                }
                out.push_str(": ");
                simple(value, out);
            }
        }
    }
    out.push('}');
}

/// A value of an object.
fn simple(term: &Term<&str>, out: &mut String) {
    match term {
        Term::Str(None, _) | Term::Num(_) | Term::Var(_) | Term::Call(..) | Term::Path(..) | Term::Arr(_) => {
            operand(term, out);
        }
        _ => parenthesised(term, out),
    }
}

pub(super) fn pattern(bound: &Pattern<&str>, out: &mut String) {
    match bound {
        Pattern::Var(name) => out.push_str(name),
        Pattern::Arr(patterns) => {
            for (place, inner) in patterns.iter().enumerate() {
                out.push(if place == 0 { '[' } else { ',' });
                pattern(inner, out);
            }
            out.push(']');
        }
        Pattern::Obj(members) => {
            for (place, (key, inner)) in members.iter().enumerate() {
                out.push(if place == 0 { '{' } else { ',' });
                parenthesised(key, out);
                out.push(':');
                pattern(inner, out);
            }
            out.push('}');
        }
    }
}

pub(super) fn definition(one: &Def<&str>, out: &mut String) {
    let _ = write!(out, "def {}", one.name);
    for (place, argument) in one.args.iter().enumerate() {
        out.push(if place == 0 { '(' } else { ';' });
        out.push_str(argument);
    }
    if !one.args.is_empty() {
        out.push(')');
    }
    out.push_str(": ");
    any(&one.body, out);
    out.push_str("; ");
}

pub(super) fn operator(op: &BinaryOp<&str>) -> String {
    match op {
        BinaryOp::Pipe(_) => "|",
        BinaryOp::Comma => ",",
        BinaryOp::Alt => "//",
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Math(op) => op.as_str(),
        BinaryOp::Cmp(op) => op.as_str(),
        BinaryOp::Assign => "=",
        BinaryOp::Update => "|=",
        BinaryOp::UpdateMath(op) => return format!("{}=", op.as_str()),
        BinaryOp::UpdateAlt => "//=",
    }
    .to_owned()
}
