//! Words: tokens, folding, and what a word needs of the blooms.

use proptest::prelude::*;
use recount_event::token::{self, fold, fold_char, tokens, word_tokens};
use recount_event::{Word, WordMatcher};

use crate::model::{TEXTS, any_text, event};

fn tokens_of(line: &str) -> Vec<String> {
    tokens(line).collect()
}

#[test]
fn values_are_cut_into_folded_runs_of_letters_and_digits() {
    let line = r#"{"Name":"Ada LOVELACE","mail":"ada@Example.com","ip":"10.2.3.4","n":-12.50,"t":true,"z":null,"in":{"er":["a\nb","\"q\"","Straße-ΟΔΟΣ"]}}"#;
    assert_eq!(
        tokens_of(line),
        [
            "ada", "lovelace", "ada", "example", "com", "10", "2", "3", "4", "12", "50", "a", "b", "q",
            "straße", "οδοσ"
        ]
    );
}

#[test]
fn folding_keeps_what_is_a_letter_or_digit_one_character() {
    for c in '\0'..=char::MAX {
        let folded = fold_char(c);
        assert_eq!(fold_char(folded), folded, "{c:?}");
        assert_eq!(c.is_alphanumeric(), folded.is_alphanumeric(), "{c:?}");
        // Raw lines are searched for ASCII on the ground that only these two
        // characters beyond it fold to it.
        if !c.is_ascii() && folded.is_ascii() {
            assert!(matches!(c, '\u{212A}' | '\u{130}'), "{c:?} folds to {folded:?}");
        }
    }
}

#[test]
fn case_does_not_matter() {
    for (a, b) in [("ADA", "ada"), ("ΟΔΟΣ", "οδος"), ("İstanbul", "istanbul"), ("\u{212A}", "k")] {
        assert_eq!(fold(a), fold(b));
    }
}

#[test]
fn only_tokens_that_a_word_has_whole_are_needed() {
    let needs = |word: Word| word_tokens(&word);
    assert_eq!(needs(Word::Whole("Ada@Example.com".into())), ["ada", "example", "com"]);
    assert_eq!(needs(Word::Prefix("ada@exam".into())), ["ada"]);
    assert_eq!(needs(Word::Prefix("ada@".into())), ["ada"]);
    assert_eq!(needs(Word::Prefix("bill".into())), Vec::<String>::new());
    assert_eq!(needs(Word::Phrase("da updated ro".into())), ["updated"]);
    assert_eq!(needs(Word::Phrase(" ada ".into())), ["ada"]);
    assert_eq!(needs(Word::Whole("@".into())), Vec::<String>::new());
    assert_eq!(needs(Word::Phrase("one".into())), Vec::<String>::new());
}

#[test]
fn hashes_of_tokens_are_stable() {
    // XXH3-64; stored blooms depend on it.
    assert_eq!(token::hash(""), 0x2D06_8005_38D3_94C2);
    assert_eq!(token::hash("ada"), token::hash(&fold("ADA")));
}

#[test]
fn words_match_whole_and_by_their_pieces() {
    let line = r#"{"action":"role.updated","actor":{"id":"u_1","name":"Ada Lovelace","email":"ada@example.com"},"ip":"10.2.3.4","note":"said \"no\"\tthen\u0001left","before":500}"#;
    let matches = |word: &Word| {
        let fast = WordMatcher::new(word);
        assert_eq!(fast.matches_line(line), word.matches_line(line), "{word:?}");
        assert!(fast.may_occur(line.as_bytes()) || !word.matches_line(line), "{word:?}");
        word.matches_line(line)
    };
    for text in [
        "ada",
        "ADA",
        "lovelace",
        "ada@example.com",
        "example.com",
        "example",
        "10.2.3.4",
        "2.3",
        "role.updated",
        "updated",
        "u_1",
        "1",
        "500",
        "no",
        "then",
        "left",
        "\"no\"",
        "@example",
    ] {
        assert!(matches(&Word::Whole(text.into())), "{text}");
    }
    for text in [
        "ad",
        "da",
        "love",
        "0.2",
        "50",
        "name",
        "email",
        "actor",
        "tthen",
        "ada lovelace x",
        "0001left",
        "action",
    ] {
        assert!(!matches(&Word::Whole(text.into())), "{text}");
    }
    for text in ["love", "ada@ex", "10.2", "role", "rol", "5"] {
        assert!(matches(&Word::Prefix(text.into())), "{text}");
    }
    assert!(!matches(&Word::Prefix("ovelace".into())));
    for text in ["a Love", "xample.co", "said \"no\"\tthen", "00", "\u{1}"] {
        assert!(matches(&Word::Phrase(text.into())), "{text}");
    }
    // Two values are not one text.
    assert!(!matches(&Word::Phrase("ada@example.com10".into())));
    assert!(!matches(&Word::Phrase("lovelace\",\"email".into())));
}

fn word() -> impl Strategy<Value = Word> {
    let piece = (any_text(), any::<proptest::sample::Index>(), any::<proptest::sample::Index>()).prop_map(
        |(text, a, b)| {
            let chars: Vec<char> = text.chars().collect();
            let (a, b) = (a.index(chars.len() + 1), b.index(chars.len() + 1));
            chars[a.min(b)..a.max(b)].iter().collect::<String>()
        },
    );
    let text = prop_oneof![proptest::sample::select(TEXTS).prop_map(str::to_owned), piece]
        .prop_filter("the language has no empty words", |text| !text.is_empty());
    (text, 0..3).prop_map(|(text, kind)| match kind {
        0 => Word::Whole(text),
        1 => Word::Prefix(text),
        _ => Word::Phrase(text),
    })
}

/// The rule, character by character.
fn occurs(value: &str, word: &Word) -> bool {
    let fold = |text: &str| text.chars().map(fold_char).collect::<Vec<_>>();
    let (value, text) = (fold(value), fold(word.text()));
    let letter = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
    let (start, end) = match word {
        Word::Whole(_) => (true, true),
        Word::Prefix(_) => (true, false),
        Word::Phrase(_) => (false, false),
    };
    (0..=value.len()).any(|at| {
        value[at..].starts_with(&text)
            && !(start && letter(text.first()) && at > 0 && letter(value.get(at - 1)))
            && !(end && letter(text.last()) && letter(value.get(at + text.len())))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn a_word_matches_by_the_rule(event in event(), word in word()) {
        let line = event.compact();
        let wanted = event.values().iter().any(|value| occurs(value, &word));
        prop_assert_eq!(word.matches_line(&line), wanted);
        prop_assert_eq!(WordMatcher::new(&word).matches_line(&line), wanted);
    }

    #[test]
    fn a_matching_line_has_all_tokens_of_the_word(event in event(), word in word()) {
        let line = event.compact();
        if word.matches_line(&line) {
            let tokens = tokens_of(&line);
            for token in word_tokens(&word) {
                prop_assert!(tokens.contains(&token), "{}", token);
            }
        }
    }

    #[test]
    fn lines_that_cannot_have_the_word_do_not_have_it(
        events in proptest::collection::vec(event(), 1..5), word in word()
    ) {
        let lines: Vec<String> = events.iter().map(|event| event.compact()).collect();
        if lines.iter().any(|line| word.matches_line(line)) {
            prop_assert!(WordMatcher::new(&word).may_occur(lines.concat().as_bytes()));
        }
    }

    #[test]
    fn tokens_are_the_runs_of_all_values(event in event()) {
        let expected: Vec<String> = event
            .values()
            .iter()
            .flat_map(|value| value.split(|c: char| !c.is_alphanumeric()))
            .filter(|run| !run.is_empty())
            .map(|run| run.chars().map(fold_char).collect())
            .collect();
        prop_assert_eq!(tokens_of(&event.compact()), expected);
    }
}
