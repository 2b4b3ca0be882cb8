//! The termination message: one line of JSON that a container leaves for the kubelet, short enough to arrive whole.

use serde::Serialize;
use serde::ser::Error;

/// The kubelet cuts a termination message here.
pub const MAX_TERMINATION_MESSAGE_BYTES: usize = 4096;

/// Stands where a text was cut.
const MARK: char = '…';

/// One line of JSON of at most [`MAX_TERMINATION_MESSAGE_BYTES`]. As long as it is longer, the text that `longest`
/// picks loses some of its end; it is an error when a report is too long without any text.
pub(crate) fn message<T: Serialize>(
    mut report: T,
    longest: impl Fn(&mut T) -> &mut String,
) -> Result<String, serde_json::Error> {
    loop {
        let json = serde_json::to_string(&report)?;
        if json.len() <= MAX_TERMINATION_MESSAGE_BYTES {
            return Ok(json);
        }
        let text = longest(&mut report);
        if text.len() <= MARK.len_utf8() {
            return Err(serde_json::Error::custom(
                "the report is too long for a termination message, even without texts",
            ));
        }
        // One byte of text takes at most 6 bytes of JSON (`\u0001`), so this never cuts too much. It ends because a text
        // grows at most once, by the mark, and becomes shorter in every other round.
        cut_end(text, (json.len() - MAX_TERMINATION_MESSAGE_BYTES).div_ceil(6));
    }
}

fn cut_end(text: &mut String, bytes: usize) {
    if text.ends_with(MARK) {
        text.pop();
    }
    text.truncate(text.floor_char_boundary(text.len().saturating_sub(bytes)));
    text.push(MARK);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_is_long_without_its_text_is_an_error_and_not_an_endless_loop() {
        let report = (vec![0; 3000], "a text".to_owned());
        assert!(message(report, |report| &mut report.1).unwrap_err().to_string().contains("too long"));
    }

    #[test]
    fn the_longest_of_several_texts_is_cut_first() {
        let report = ("é".repeat(3000), "short".to_owned(), "\n".repeat(2500));
        let sent =
            message(report, |report| [&mut report.0, &mut report.2].into_iter().max_by_key(|t| t.len()).unwrap());
        let (first, short, last): (String, String, String) = serde_json::from_str(&sent.unwrap()).unwrap();
        assert_eq!(short, "short");
        assert!(first.len().abs_diff(last.len()) < 16, "{} and {} bytes are left", first.len(), last.len());
    }
}
