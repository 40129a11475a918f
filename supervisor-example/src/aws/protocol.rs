//! The protocols of AWS, as far as an error goes: a client can show an error only in the document
//! of the protocol it speaks.
//!
//! The trap: the same service may speak several, so the request's own signs go before the table of
//! services.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Method, Response, StatusCode};

/// How a request to an AWS service is written, and its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// S3's dialect of XML, without the envelope of the others.
    S3,
    /// XML over REST.
    RestXml,
    /// Form parameters, answered in XML.
    Query,
    /// EC2's dialect of [`Protocol::Query`].
    Ec2,
    /// One JSON document per call, named by `X-Amz-Target`.
    Json,
    /// JSON over REST.
    RestJson,
    /// CBOR, the second version of the remote procedure call protocol of Smithy.
    Cbor,
}

/// What a client is told when the service it called did not answer itself.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The HTTP status.
    pub status: StatusCode,
    /// The error code, by which programs tell errors apart.
    pub code: &'static str,
    /// The error for people.
    pub message: String,
}

impl Fault {
    /// There is no such service here. Clients do not try again on this status.
    pub fn not_implemented(message: impl Into<String>) -> Self {
        let status = StatusCode::NOT_IMPLEMENTED;
        Self { status, code: "NotImplemented", message: message.into() }
    }

    /// The service is not there now. Clients try again on this status.
    pub fn unavailable(message: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, code: "ServiceUnavailable", message: message.into() }
    }
}

impl Protocol {
    /// The protocol that the request itself shows, if it does.
    pub fn shown_by(headers: &HeaderMap) -> Option<Self> {
        let is = |name: &str, text: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .is_some_and(|value| value.starts_with(text))
        };
        if is("smithy-protocol", "rpc-v2-cbor") {
            Some(Self::Cbor)
        } else if headers.contains_key("x-amz-target")
            || is("content-type", "application/x-amz-json")
        {
            Some(Self::Json)
        } else {
            None
        }
    }

    /// The response that carries `fault`. A response to `HEAD` has no body.
    pub fn answer(self, fault: &Fault, method: &Method, request_id: &str) -> Response<Bytes> {
        let body = if *method == Method::HEAD {
            Bytes::new()
        } else {
            Bytes::from(self.document(fault, request_id))
        };
        let mut response = Response::new(body);
        *response.status_mut() = fault.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type()));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert("x-amz-request-id", id.clone());
            headers.insert("x-amzn-requestid", id);
        }
        match self {
            Self::Json | Self::RestJson => {
                headers.insert("x-amzn-errortype", HeaderValue::from_static(fault.code));
            }
            Self::Cbor => {
                headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
            }
            Self::S3 | Self::RestXml | Self::Query | Self::Ec2 => {}
        }
        if fault.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::S3 | Self::RestXml => "application/xml",
            Self::Query | Self::Ec2 => "text/xml",
            Self::Json => "application/x-amz-json-1.0",
            Self::RestJson => "application/json",
            Self::Cbor => "application/cbor",
        }
    }

    fn document(self, fault: &Fault, request_id: &str) -> Vec<u8> {
        let Fault { status, code, .. } = fault;
        let message = escape(&fault.message);
        let side = if status.is_client_error() { "Sender" } else { "Receiver" };
        let xml = match self {
            Self::Json | Self::RestJson => {
                let document = serde_json::json!({
                    "__type": code, "code": code, "message": fault.message, "Message": fault.message,
                });
                return document.to_string().into_bytes();
            }
            Self::Cbor => {
                let mut document = vec![0xA2];
                for text in ["__type", code, "message", &fault.message] {
                    cbor_text(&mut document, text);
                }
                return document;
            }
            Self::S3 => format!(
                "<Error><Code>{code}</Code><Message>{message}</Message>\
                 <RequestId>{request_id}</RequestId></Error>"
            ),
            Self::RestXml | Self::Query => format!(
                "<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code>\
                 <Message>{message}</Message></Error>\
                 <RequestId>{request_id}</RequestId></ErrorResponse>"
            ),
            Self::Ec2 => format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>\
                 </Errors><RequestID>{request_id}</RequestID></Response>"
            ),
        };
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}").into_bytes()
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A text string of major type 3; two bytes of length are enough for any message.
fn cbor_text(document: &mut Vec<u8>, text: &str) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    document.push(0x79);
    document.extend_from_slice(&(end as u16).to_be_bytes());
    document.extend_from_slice(&text.as_bytes()[..end]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(protocol: Protocol) -> String {
        let fault = Fault::not_implemented("no `a<b`");
        let response = protocol.answer(&fault, &Method::GET, "1");
        assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
        String::from_utf8_lossy(response.body()).into_owned()
    }

    #[test]
    fn each_protocol_has_its_document() {
        assert!(
            text(Protocol::S3).contains("<Error><Code>NotImplemented</Code><Message>no `a&lt;b`")
        );
        assert!(
            text(Protocol::Query).contains("<ErrorResponse><Error><Type>Receiver</Type><Code>")
        );
        assert!(
            text(Protocol::Ec2).contains("<Response><Errors><Error><Code>NotImplemented</Code>")
        );
        let json: serde_json::Value = serde_json::from_str(&text(Protocol::Json)).expect("JSON");
        assert_eq!(json["__type"], "NotImplemented");
        assert_eq!(json["message"], "no `a<b`");
        assert!(text(Protocol::Cbor).contains("NotImplemented"));
    }

    #[test]
    fn head_has_no_body_and_unavailable_says_when() {
        let fault = Fault::unavailable("later");
        let response = Protocol::S3.answer(&fault, &Method::HEAD, "1");
        assert!(response.body().is_empty());
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }

    #[test]
    fn the_request_shows_its_protocol() {
        let mut headers = HeaderMap::new();
        assert_eq!(Protocol::shown_by(&headers), None);
        headers.insert("x-amz-target", HeaderValue::from_static("DynamoDB_20120810.ListTables"));
        assert_eq!(Protocol::shown_by(&headers), Some(Protocol::Json));
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
        assert_eq!(Protocol::shown_by(&headers), Some(Protocol::Cbor));
    }
}
