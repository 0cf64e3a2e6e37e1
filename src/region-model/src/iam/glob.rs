//! IAM's wildcards: `*` for any characters, `?` for one.

/// Whether a whole text matches a pattern.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // The last star, and how much of the text it has taken.
    let mut star = None;
    while read < text.len() {
        match (pattern.get(at), star) {
            (Some('*'), _) => {
                star = Some((at, read));
                at += 1;
            }
            (Some(&one), _) if one == '?' || one == text[read] => {
                at += 1;
                read += 1;
            }
            (_, Some((back, taken))) => {
                star = Some((back, taken + 1));
                at = back + 1;
                read = taken + 1;
            }
            (_, None) => return false,
        }
    }
    pattern[at..].iter().all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("*", "anything", true),
            ("ec2:Describe*", "ec2:DescribeTags", true),
            ("ec2:Describe*", "ec2:CreateTags", false),
            ("*:eni-1", "arn:aws:eni-1", true),
            ("*:eni-1", "arn:aws:eni-12", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("eni-?", "eni-1", true),
            ("eni-?", "eni-", false),
            ("", "", true),
            ("", "a", false),
            ("a", "", false),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
