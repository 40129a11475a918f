//! What does not compile: one mistake a file in `fail`, with the message it gets beside it. What
//! compiles is the library of this package.
//!
//! It is a package of its own, because the cases are built with all that their package depends on.
//! `TRYBUILD=overwrite` writes the messages anew.

#[test]
fn p02_p09_every_mistake_is_refused_where_it_stands() {
    trybuild::TestCases::new().compile_fail("fail/*.rs");
}
