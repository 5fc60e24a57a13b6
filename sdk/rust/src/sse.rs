//! Server-sent events (WHATWG HTML, "interpreting an event stream"): bytes in, events out.

/// Longest event that is kept, in bytes.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The last `id` seen.
    pub id: Option<String>,
    /// The data lines, joined.
    pub data: String,
}

/// A line or event was longer than any that the node sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {EVENT_BYTES_MAX} bytes")]
pub struct TooLong;

/// Splits a stream of bytes into events.
#[derive(Debug, Default)]
pub struct Parser {
    buffer: Vec<u8>,
    event: Event,
}

impl Parser {
    /// Takes the next piece and hands out the events that it completes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        self.buffer.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            self.line(line.trim_end_matches(['\n', '\r']), &mut events);
        }
        if self.buffer.len() + self.event.data.len() > EVENT_BYTES_MAX {
            return Err(TooLong);
        }
        Ok(events)
    }

    fn line(&mut self, line: &str, events: &mut Vec<Event>) {
        if line.is_empty() {
            if !self.event.data.is_empty() {
                self.event.data.pop(); // the last line's end
                events.push(self.event.clone());
                self.event.data.clear();
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                self.event.data.push_str(value);
                self.event.data.push('\n');
            }
            "id" => self.event.id = Some(value.to_owned()),
            // `event` is repeated inside the JSON; comments and `retry` are of no use here.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_whatever_the_pieces() {
        let text = b": hello\r\nid: 1\nevent: job\ndata: {\"a\":\ndata: 1}\n\nid: 2\ndata: x\n\n";
        let expected = [
            Event { id: Some("1".into()), data: "{\"a\":\n1}".into() },
            Event { id: Some("2".into()), data: "x".into() },
        ];
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let events: Vec<Event> =
                text.chunks(size).flat_map(|piece| parser.push(piece).unwrap()).collect();
            assert_eq!(events, expected, "pieces of {size}");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        assert_eq!(Parser::default().push(&vec![b'x'; EVENT_BYTES_MAX + 1]), Err(TooLong));
    }
}
