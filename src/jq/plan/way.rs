//! Which way a program over the whole input is run.

use jaq_core::load::lex::Lexer;
use jaq_core::load::parse::Parser;

use super::passes::{Passes, passes};
use super::{End, Plan, Stage, Told, inline, joins, sequence, stages};
use crate::jq::{binding, notation, prelude};

/// How a program over the whole input is run.
pub(crate) enum Way<'s> {
    /// As the verbs of a bag.
    Verbs(Plan<'s>),
    /// By the interpreter, on `null`, over the records in turn: the program's text says `inputs` for the elements.
    InTurn(String),
    /// In two passes over the input, where it can be read twice; else the other way.
    Twice(Passes, Box<Way<'s>>),
    /// By the interpreter, over the array: it needs the array itself.
    Collected,
}

/// Hands on how a program is run.
pub(crate) fn with<R>(program: &str, use_it: impl FnOnce(&Way<'_>) -> R) -> R {
    find(program, true, use_it)
}

/// The same for the first of two passes, which has to be verbs.
pub(crate) fn with_first<R>(program: &str, use_it: impl FnOnce(&Way<'_>) -> R) -> R {
    find(program, false, use_it)
}

fn find<R>(program: &str, in_turn: bool, use_it: impl FnOnce(&Way<'_>) -> R) -> R {
    let text = notation::edit(program).map(|literals| binding::bind(&literals.text).text).unwrap_or_default();
    let tokens = Lexer::new(&text).lex().unwrap_or_default();
    let way = match Parser::new(&tokens).parse(|parser| parser.term()) {
        Err(_) => Way::Collected,
        Ok(tree) => {
            let extra: Vec<_> = prelude::extra().into_iter().filter(|def| !joins::is_verb(def.name)).collect();
            let tree = inline(&tree, &extra);
            let way = match (stages::plan(&tree), sequence::sequence(&tree)) {
                (Some(plan), Some(text)) if in_turn && plan.is_in_turn() => Way::InTurn(text),
                (Some(plan), _) => Way::Verbs(plan),
                (None, Some(text)) => Way::InTurn(text),
                (None, None) => match sequence::sequence(&inline(&tree, &sequence::steps())) {
                    Some(text) => Way::InTurn(text),
                    None => Way::Collected,
                },
            };
            let holds = match &way {
                Way::Verbs(plan) => plan.holds_all(),
                way => matches!(way, Way::Collected),
            };
            match passes(&tree).filter(|passes| holds && gain(passes)) {
                Some(passes) => Way::Twice(passes, Box::new(way)),
                None => way,
            }
        }
    };
    use_it(&way)
}

/// Whether two passes hold less than one does.
fn gain(passes: &Passes) -> bool {
    // Its outputs are few: each of them is one more pass.
    let few = |stage: &Stage<'_>| matches!(stage, Stage::Slice(0, 1));
    let ends = |plan: &Plan<'_>| matches!(plan.end, End::Fold(_)) || plan.stages.iter().any(few);
    with_first(&passes.first, |way| matches!(way, Way::Verbs(plan) if ends(plan)))
        && with(&passes.body, |way| !matches!(way, Way::Collected))
}

impl Way<'_> {
    /// What `--explain` says of it.
    pub(crate) fn tell(&self) -> Vec<Told> {
        match self {
            Way::Verbs(plan) => plan.tell(),
            Way::InTurn(text) => {
                let told =
                    Told::new("in turn", "so", "streams the records, in order, through the interpreter on one thread");
                vec![told.steps(vec![text.clone()])]
            }
            Way::Twice(passes, _) => {
                let reads = with_first(&passes.first, |way| !matches!(way, Way::Verbs(plan) if plan.is_constant()));
                let names: Vec<String> = passes.names.iter().map(|name| format!("${name}")).collect();
                let names = names.join(", ");
                let (first, then) = match reads {
                    true => {
                        let then =
                            format!("second pass, with {names}; where the input cannot be read twice it is held");
                        (format!("first pass over the input, for {names}"), then)
                    }
                    false => (format!("first, for {names}, without the input"), format!("then, with {names}")),
                };
                let mut told = vec![Told::heading(first)];
                told.extend(with_first(&passes.first, |way| way.tell()));
                told.push(Told::heading(then));
                told.extend(with(&passes.body, |way| way.tell()));
                told
            }
            Way::Collected => {
                let does = "the whole input is held in memory, and the interpreter runs on it once";
                vec![Told::new("collected", "h", does)]
            }
        }
    }
}
