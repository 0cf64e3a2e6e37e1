//! A small XML writer, enough for EC2 and Query responses: elements and escaped text.

use std::fmt::{Display, Write};

/// An XML document under construction.
#[derive(Debug)]
pub struct Xml {
    out: String,
}

impl Xml {
    /// Writes a whole document: declaration, root element with its name space, and what `content`
    /// adds.
    pub fn document(
        root: &str,
        namespace: Option<&str>,
        content: impl FnOnce(&mut Self),
    ) -> String {
        let mut xml = Self { out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") };
        xml.out.push('<');
        xml.out.push_str(root);
        if let Some(namespace) = namespace {
            xml.out.push_str(" xmlns=\"");
            xml.escaped(namespace);
            xml.out.push('"');
        }
        xml.out.push('>');
        content(&mut xml);
        xml.close(root);
        xml.out
    }

    /// An element with what `content` adds to it.
    pub fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.open(name);
        content(self);
        self.close(name);
    }

    pub fn text(&mut self, name: &str, value: impl Display) {
        self.open(name);
        self.escaped(value);
        self.close(name);
    }

    /// An element that holds one text, if there is a value.
    pub fn optional(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// A list: `name` around one `item` element for each value.
    pub fn list<T>(
        &mut self,
        name: &str,
        item: &str,
        values: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.element(name, |xml| {
            for value in values {
                xml.element(item, |xml| write(xml, value));
            }
        });
    }

    fn open(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn escaped(&mut self, value: impl Display) {
        write!(Escape(&mut self.out), "{value}").expect("a string takes every write");
    }
}

/// Text on its way into the document; what XML 1.0 cannot hold at all becomes U+FFFD.
struct Escape<'a>(&'a mut String);

impl Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\t' | '\n' => self.0.push(character),
                // A bare carriage return would be read back as a line feed.
                '\r' => self.0.push_str("&#13;"),
                c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => self.0.push('\u{fffd}'),
                _ => self.0.push(character),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_written_whole() {
        let text = Xml::document("R", Some("http://example.com/"), |xml| {
            xml.text("id", 7);
            xml.optional("none", None::<&str>);
            xml.list("set", "item", ["a", "b"], |xml, value| xml.text("v", value));
        });
        assert_eq!(
            text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"http://example.com/\"><id>7</id>\
             <set><item><v>a</v></item><item><v>b</v></item></set></R>"
        );
    }

    #[test]
    fn what_xml_reserves_is_escaped() {
        let text = Xml::document("R", None, |xml| xml.text("t", "<a & \"b\">\r\u{1}"));
        assert!(text.ends_with("<R><t>&lt;a &amp; &quot;b&quot;&gt;&#13;\u{fffd}</t></R>"));
    }
}
