//! The form of lines: text for people, JSON for machines.

use std::fmt::{self, Debug};
use std::time::SystemTime;

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::chosen::level_of;
use super::request;
use crate::plain::Plain;
use crate::trouble::without_numbers;

/// The form of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// Time, level and message
    Text,
    /// An object for each line, with the fields of the event
    Json,
}

impl<S, N> FormatEvent<S, N> for Form
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        fields.message = without_numbers(fields.message);
        let now = humantime::format_rfc3339_millis(SystemTime::now());
        let level = level_of(event.metadata());
        let request = request::current();
        match self {
            Self::Text => {
                write!(writer, "{now} {level:<5} {}", Plain(&fields.message))?;
                if let Some(request) = request {
                    write!(writer, " (request {})", Plain(request))?;
                }
            }
            Self::Json => {
                write!(writer, r#"{{"time":"{now}","level":"{level}","message":"#)?;
                write!(writer, "{}", Value::from(fields.message))?;
                write!(writer, r#","target":"{}""#, event.metadata().target())?;
                for (name, value) in fields.others {
                    write!(writer, ",{}:{value}", Value::from(name))?;
                }
                if let Some(request) = request {
                    write!(writer, r#","request":{}"#, Value::from(request.to_string()))?;
                }
                writer.write_char('}')?;
            }
        }
        writer.write_char('\n')
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        self.others.push((field.name(), value));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // A message is formatted by its `Display`.
        let text = format!("{value:?}");
        match field.name() {
            "message" => self.message = text,
            _ => self.add(field, text.into()),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = value.to_owned(),
            _ => self.add(field, value.into()),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }
}
