//! Pages of a listing: a token says after which entry the next page begins.

use super::answer::Answer;
use crate::wire::ApiError;

const PREFIX: &str = "after:";

/// A page of entries, and the token for the next one where there is one.
///
/// Entries come with a key that orders them, so that one which goes between two calls skips no
/// other.
pub fn page(
    entries: impl Iterator<Item = (String, Answer)>,
    token: Option<&str>,
    largest: usize,
) -> Result<(Vec<Answer>, Option<String>), ApiError> {
    let after =
        match token {
            None => None,
            Some(token) => Some(token.strip_prefix(PREFIX).ok_or_else(|| {
                ApiError::new("InvalidNextToken", 400, "The next token is invalid.")
            })?),
        };
    let mut rest =
        entries.skip_while(|(key, _)| after.is_some_and(|after| key.as_str() <= after)).peekable();
    let mut answers = Vec::new();
    let mut last = String::new();
    while answers.len() < largest {
        let Some((key, answer)) = rest.next() else {
            break;
        };
        answers.push(answer);
        last = key;
    }
    let next = rest.peek().map(|_| format!("{PREFIX}{last}"));
    Ok((answers, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let entries = || ["a", "b", "c"].map(|key| (key.to_owned(), Answer::text(key))).into_iter();
        let (first, token) = page(entries(), None, 2).expect("a page");
        assert_eq!((first.len(), token.as_deref()), (2, Some("after:b")));
        let (second, end) = page(entries(), token.as_deref(), 2).expect("a page");
        assert_eq!((second, end), (vec![Answer::text("c")], None));
        let error = page(entries(), Some("x"), 2).expect_err("no token of ours");
        assert_eq!(error.code, "InvalidNextToken");
    }
}
