//! A query and the text of its rows.

use super::cursor::Cursor;
use super::session::{Refusal, Session, nonsense};
use crate::ProbeFailure;

const QUERY: u8 = 3;
const NULL: u8 = 0xfb;

/// One row: columns' names with their values, `None` for NULL.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row(pub Vec<(String, Option<String>)>);

impl Row {
    /// The value in that place.
    pub fn at(&self, place: usize) -> Option<&str> {
        self.0.get(place).and_then(|(_, value)| value.as_deref())
    }

    /// The value of the column that has any of these names.
    pub fn named(&self, names: [&str; 2]) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(name, _)| names.contains(&name.as_str()))?;
        value.as_deref()
    }
}

/// Asks, and reads every row.
pub(super) async fn query(
    session: &mut Session<'_>,
    sql: &'static str,
) -> Result<Result<Vec<Row>, Refusal>, ProbeFailure> {
    session.command(QUERY, sql).await?;
    let head = session.receive("answer to a query").await?;
    if let Some(refusal) = Refusal::of(&head, sql) {
        return Ok(Err(refusal));
    }
    let count = Cursor(&head).integer().filter(|count| *count > 0);
    let count = count.ok_or_else(|| nonsense("answer to a query"))?;
    let mut names = Vec::new();
    for _ in 0..count {
        let packet = session.receive("column of an answer").await?;
        names.push(column_name(&packet).ok_or_else(|| nonsense("column of an answer"))?);
    }
    if !is_end(&session.receive("end of an answer's columns").await?) {
        return Err(nonsense("end of an answer's columns"));
    }
    let mut rows = Vec::new();
    loop {
        let packet = session.receive("row of an answer").await?;
        if is_end(&packet) {
            return Ok(Ok(rows));
        }
        if let Some(refusal) = Refusal::of(&packet, sql) {
            return Ok(Err(refusal));
        }
        rows.push(row(&names, &packet).ok_or_else(|| nonsense("row of an answer"))?);
    }
}

/// A row that begins so announces a value of 16 MiB or more, and is longer.
fn is_end(packet: &[u8]) -> bool {
    packet.first() == Some(&0xfe) && packet.len() < 9
}

fn column_name(packet: &[u8]) -> Option<String> {
    let mut fields = Cursor(packet);
    let _catalog_schema_table_and_its_alias =
        (fields.counted()?, fields.counted()?, fields.counted()?, fields.counted()?);
    Some(String::from_utf8_lossy(fields.counted()?).into_owned())
}

fn row(names: &[String], packet: &[u8]) -> Option<Row> {
    let mut fields = Cursor(packet);
    let mut values = Vec::new();
    for name in names {
        let value = if fields.0.first() == Some(&NULL) {
            fields.byte()?;
            None
        } else {
            Some(String::from_utf8_lossy(fields.counted()?).into_owned())
        };
        values.push((name.clone(), value));
    }
    Some(Row(values))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::greeting::Greeting;
    use super::*;

    proptest! {
        /// A panic would end the agent: whatever a peer sends is a value or none.
        #[test]
        fn no_bytes_make_a_reader_panic(
            bytes in prop::collection::vec(
                prop_oneof![prop::sample::select(vec![0, 1, 10, 0xfb, 0xfc, 0xfe, 0xff]), any::<u8>()],
                0..120,
            ),
        ) {
            let _name = column_name(&bytes);
            let _row = row(&["a".to_owned(), "b".to_owned()], &bytes);
            let _refusal = Refusal::of(&bytes, "x");
            let greeting = [&[10, 0], bytes.as_slice()].concat();
            if let Some(greeting) = Greeting::of(&greeting) {
                prop_assert_eq!(greeting.nonce.len(), 20);
            }
        }
    }
}
