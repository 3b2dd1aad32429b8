//! Syntax trees as text: jaq's compiler takes text only, so a tree that was rewritten is printed and read again. What is
//! printed parses to the same tree; parentheses stand wherever one could be in doubt.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::{Opt, Part};
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
            operand(right, out);
        }
        Term::BinOp(left, op, right) => {
            operand(left, out);
            // Writing to a string does not fail, here and below.
            let _ = write!(out, " {} ", operator(op));
            operand(right, out);
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

fn step((part, opt): &(Part<Term<&str>>, Opt), first: bool, out: &mut String) {
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

fn string(format: Option<&str>, parts: &[StrPart<&str, Term<&str>>], out: &mut String) {
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

fn object(members: &[(Term<&str>, Option<Term<&str>>)], out: &mut String) {
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

fn pattern(bound: &Pattern<&str>, out: &mut String) {
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

fn definition(one: &Def<&str>, out: &mut String) {
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

fn operator(op: &BinaryOp<&str>) -> String {
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
