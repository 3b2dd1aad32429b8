//! What calls mean: functions with nodes of their own, and those of the interpreter that are functions of values.

use super::super::natives;
use super::super::plan::{Tree, integer};
use super::super::value::Val;
use super::compile::{Compiler, Scope};
use super::item::Item;
use super::node::{Node, Part, Quick, Section, Step};
use kitbag::JsonKind;
use smol_str::SmolStr;

/// Definitions of the prelude that are compiled as if they stood in the program.
pub(super) const INLINED: [(&str, usize); 25] = [
    ("values", 0),
    ("nulls", 0),
    ("booleans", 0),
    ("numbers", 0),
    ("strings", 0),
    ("arrays", 0),
    ("objects", 0),
    ("iterables", 0),
    ("scalars", 0),
    ("isfinite", 0),
    ("finites", 0),
    ("first", 0),
    ("last", 0),
    ("in", 1),
    ("inside", 1),
    ("any", 0),
    ("all", 0),
    ("any", 1),
    ("all", 1),
    ("flatten", 0),
    ("todate", 0),
    ("fromdate", 0),
    ("date", 0),
    ("todateiso8601", 0),
    ("with_entries", 1),
];

/// Names under which the prelude has a function of the interpreter.
const RENAMED: [(&str, &str); 3] = [("split", "_split"), ("index", "_index"), ("rindex", "_rindex")];

/// The node of a call of one of the language's functions.
pub(super) fn function<'s>(
    compiler: &Compiler<'_, 's>,
    name: &str,
    arguments: &[Tree<'s>],
    scope: &mut Scope<'s>,
) -> Option<Node> {
    let mut operand = |at: usize| compiler.operand(arguments.get(at)?, scope).map(Node::boxed);
    Some(match (name, arguments.len()) {
        ("empty", 0) => Node::Empty,
        ("true" | "false", 0) => Node::Const(Val::Bool(name == "true")),
        ("null", 0) => Node::Const(Val::Null),
        ("nan", 0) => Node::Const(Val::Float(f64::NAN)),
        ("infinite", 0) => Node::Const(Val::Float(f64::INFINITY)),
        ("error", 0) => Node::Error(Node::Id.boxed()),
        ("error", 1) => Node::Error(operand(0)?),
        ("recurse", 0) => Node::Recurse,
        ("input_filename", 0) => Node::FileName,
        ("now", 0) => Node::Now,
        ("test", 1) => Node::Test(operand(0)?, None),
        ("test", 2) => {
            let (pattern, flags) = (operand(0)?, operand(1)?);
            // Which of two terms fails first would show.
            let fixed = [&pattern, &flags].iter().all(|node| matches!(***node, Node::Const(_) | Node::Var(_)));
            fixed.then_some(Node::Test(pattern, Some(flags)))?
        }
        ("sub" | "gsub", 2 | 3) => {
            let (pattern, by) = (operand(0)?, operand(1)?);
            let flags = if arguments.len() == 3 { Some(operand(2)?) } else { None };
            replace(pattern, by, flags, name == "gsub")?
        }
        ("limit", 2) => {
            let count =
                integer(&arguments[0]).and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0)?;
            Node::Limit(count, compiler.term(&arguments[1], scope)?.boxed())
        }
        ("select", 1) => Node::Select(compiler.term(&arguments[0], scope)?.boxed()),
        ("first", 1) => Node::First(compiler.term(&arguments[0], scope)?.boxed()),
        ("map", 1) => {
            let of = compiler.term(&arguments[0], scope)?;
            Node::Array(Some(Node::Pipe(each().boxed(), of.boxed()).boxed()))
        }
        ("any" | "all", 2) => {
            let (source, condition) = (compiler.term(&arguments[0], scope)?, compiler.term(&arguments[1], scope)?);
            Node::Any(Node::Pipe(source.boxed(), condition.boxed()).boxed(), name == "any")
        }
        (_, count @ (0 | 1)) => {
            let name = RENAMED.iter().find(|(known, _)| (*known, 1) == (name, count)).map_or(name, |(_, ours)| *ours);
            let direct = natives::direct(name, count)?;
            let argument = if count == 1 { Some(operand(0)?) } else { None };
            Node::Call { quick: quick(name), direct, argument }
        }
        _ => return None,
    })
}

/// Replacing by text that cannot fail and is always there; for other text the order of what is evaluated would show.
fn replace(pattern: Box<Node>, by: Box<Node>, flags: Option<Box<Node>>, all: bool) -> Option<Node> {
    let fixed = |node: &Node| match node {
        Node::Const(Val::Str(text)) => Some(text.clone()),
        _ => None,
    };
    let flags = flags.map_or(Some(SmolStr::default()), |flags| fixed(&flags))?;
    let flags = if all { format!("{flags}g").into() } else { flags };
    let of_a_capture = |node: &Node| match node {
        Node::Path(head, steps) => {
            matches!((&**head, &steps[..]), (Node::Id, [Step { part: Part::Key(_), optional: false }]))
        }
        Node::Const(_) => true,
        _ => false,
    };
    let certain = match &*by {
        Node::Text(sections) => sections.iter().all(|section| match section {
            Section::Text(_) => true,
            Section::Term(term) => of_a_capture(term),
        }),
        by => fixed(by).is_some(),
    };
    certain.then_some(Node::Replace { pattern: Val::Str(fixed(&pattern)?), flags: Val::Str(flags), by })
}

fn each() -> Node {
    Node::Path(Node::Id.boxed(), vec![Step { part: Part::Each, optional: false }])
}

/// What answers without copying the input, for functions that log programs call most.
fn quick(name: &str) -> Option<Quick> {
    Some(match name {
        "length" => |input, _| input.len().map(Val::count),
        "type" => |input, _| Some(Val::string(input.kind())),
        "not" => |input, _| Some(Val::Bool(!input.is_true())),
        "tostring" => |input, _| input.text().map(Val::string),
        "startswith" => |input, part| texts(input, part?, |text, part| text.starts_with(part)),
        "endswith" => |input, part| texts(input, part?, |text, part| text.ends_with(part)),
        "contains" => |input, part| texts(input, part?, |text, part| text.contains(part)),
        "has" => |input, key| match input {
            Item::Json(json) if json.kind() == JsonKind::Object => Some(Val::Bool(json.get(&key?.text()?).is_some())),
            _ => None,
        },
        _ => return None,
    })
}

fn texts(input: &Item<'_>, part: &Item<'_>, related: fn(&str, &str) -> bool) -> Option<Val> {
    Some(Val::Bool(related(&input.text()?, &part.text()?)))
}
