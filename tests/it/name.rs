//! Which texts are names, and how ids are written.

use plux::{MAX_LEN, Name, Namespace, PluginId, is_valid_name};

#[test]
fn a_name_from_a_string_is_refused_with_the_text_and_the_rule() {
    let long = "x".repeat(MAX_LEN + 1);
    for text in ["", " ", "a b", "-a", ".a", "_a", "a/b", "a:b", "é", "a\n", &long] {
        assert!(!is_valid_name(text), "{text:?}");
        let error = Name::new(text).unwrap_err();
        assert_eq!(error.text, text);
        assert!(error.to_string().contains("is no valid name"), "{error}");
        assert_eq!(Namespace::new(text).unwrap_err().kind, "namespace");
    }
}

#[test]
fn a_name_is_the_same_from_a_literal_and_from_a_string() {
    for text in ["a", "9", "aws.services", "s3-2_x", &"x".repeat(MAX_LEN)] {
        assert_eq!(Name::new(text).unwrap(), *text);
    }
    assert_eq!(Name::new("s3").unwrap(), Name::literal("s3"));
    assert!(Name::literal("dynamodb") < Name::new("s3").unwrap());
}

#[test]
fn an_id_is_written_with_its_namespace() {
    let id = PluginId { namespace: Namespace::literal("aws.services"), name: Name::literal("s3") };
    assert_eq!(id.to_string(), "aws.services:s3");
}
