//! Filter rules: what they match, what they do to a plugin, and the process-wide list.
//!
//! Trap: the list is the whole process's, so a rule on it names plugins of one test alone.

use std::sync::Arc;

use plux::{
    FilterRule, LoadError, Name, Namespace, Origin, PluginManager, PluginSpec, PluginState,
    RuleError, ServiceState, StartError,
};

use crate::kit::{Kit, Probe};
use crate::scripted::{NAMESPACE, Plugin, Script, finder, manager, state};

fn named(glob: &str) -> FilterRule {
    FilterRule::builder().name(glob).build().unwrap()
}

fn filtered(
    rules: impl IntoIterator<Item = FilterRule>,
    plugins: impl IntoIterator<Item = Plugin>,
) -> PluginManager<dyn Script> {
    let builder = PluginManager::builder(()).finder(finder(plugins));
    rules.into_iter().fold(builder, |builder, rule| builder.filter(rule)).build()
}

/// A spec that nobody loads.
fn spec(namespace: &str, name: &str, package: &'static str, module: &'static str) -> PluginSpec {
    let (namespace, name) = (Namespace::new(namespace).unwrap(), Name::new(name).unwrap());
    PluginSpec::new::<dyn Script>(namespace, name, || Err("nobody loads it".into()))
        .with_origin(Origin::new(package, "1.0.0", module, "src/lib.rs", 1))
}

fn reason(error: LoadError) -> Arc<str> {
    match error {
        LoadError::Disabled { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[test]
fn p10_a_rule_without_a_pattern_is_an_error() {
    let error = FilterRule::builder().build().unwrap_err();
    assert_eq!(error, RuleError::NoPattern);
    assert!(error.to_string().contains("give it a namespace, name or origin"), "{error}");
}

#[test]
fn p10_a_pattern_that_is_no_glob_is_an_error_that_names_it() {
    for broken in ["", "s[", "s[]", "[!", "a**", "**a", "***"] {
        for part in ["namespace", "name", "origin"] {
            let rule = FilterRule::builder().name("fine");
            let rule = match part {
                "namespace" => rule.namespace(broken),
                "name" => rule.name(broken),
                _ => rule.origin(broken),
            };
            let error = rule.build().unwrap_err();
            assert!(
                matches!(&error, RuleError::Pattern { part: p, pattern, .. } if *p == part && pattern == broken),
                "{part} {broken:?}: {error:?}"
            );
            assert!(
                error.to_string().contains(&format!("{broken:?} is no valid glob for the {part}"))
            );
        }
    }
}

#[test]
fn p10_a_glob_matches_the_whole_name_as_the_table_says() {
    for (glob, matching, other) in [
        ("s3", &["s3"][..], &["S3", "s33", "as3", "s"][..]),
        ("s*", &["s3", "s", "sqs", "s.q"], &["aws", "S3"]),
        ("*", &["a", "a.b-c_d"], &[]),
        ("**", &["a", "a.b-c_d"], &[]),
        ("*s*3*", &["s3", "as33", "xs-3y"], &["3s", "s", "s2"]),
        ("s?", &["s3", "sq"], &["s", "sqs"]),
        ("mp[34]", &["mp3", "mp4"], &["mp5", "mp", "mp34"]),
        ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
        ("mp[!34]", &["mp5", "mpx"], &["mp3", "mp4", "mp"]),
        ("[*]", &[], &["a"]),
        ("a.b", &["a.b"], &["axb"]),
        ("{a,b}", &[], &["a", "b"]),
    ] {
        let rule = named(glob);
        for (names, expected) in [(matching, true), (other, false)] {
            for name in names {
                let matches = rule.matches(&spec("any", name, "any", "any"));
                assert_eq!(matches, expected, "{glob} and {name}");
            }
        }
    }
}

#[test]
fn p10_a_pattern_of_many_stars_is_matched_in_no_time() {
    let long = "a".repeat(128);
    let rule = named(&format!("{}b", "*a".repeat(60)));
    assert!(!rule.matches(&spec("any", &long, "any", "any")));
}

#[test]
fn p10_an_origin_is_the_package_the_crate_or_the_module_path() {
    let s3 = spec("aws.services", "s3", "aws-s3", "aws_s3::server::http");
    for (glob, expected) in [
        ("aws-s3", true),
        ("aws-*", true),
        ("aws_s3", true),
        ("aws_s3::server::http", true),
        ("aws_s3::*", true),
        ("*::http", true),
        ("aws_s3::server", false),
        ("server", false),
        ("aws", false),
        ("1.0.0", false),
        ("src/lib.rs", false),
    ] {
        let rule = FilterRule::builder().origin(glob).build().unwrap();
        assert_eq!(rule.matches(&s3), expected, "{glob}");
    }
    let unknown = PluginSpec::new::<dyn Script>(NAMESPACE, Name::literal("a"), || Err("no".into()));
    for (glob, expected) in [("*", true), ("?*", false)] {
        let rule = FilterRule::builder().origin(glob).build().unwrap();
        assert_eq!(rule.matches(&unknown), expected, "{glob}");
    }
}

#[test]
fn p10_all_patterns_of_one_rule_must_match() {
    let s3 = spec("aws.services", "s3", "aws-s3", "aws_s3");
    for (namespace, name, origin, expected) in [
        ("aws.*", "s*", "aws-*", true),
        ("gcp.*", "s*", "aws-*", false),
        ("aws.*", "q*", "aws-*", false),
        ("aws.*", "s*", "gcp-*", false),
    ] {
        let rule = FilterRule::builder().namespace(namespace).name(name).origin(origin).build();
        assert_eq!(rule.unwrap().matches(&s3), expected, "{namespace} {name} {origin}");
    }
}

#[tokio::test]
async fn p10_p13_a_refused_plugin_is_disabled_before_its_factory_runs_and_stays_so() {
    let plugins = ["a", "b"].map(Plugin::new);
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = filtered([named("a")], plugins);
    assert_eq!(manager.names().unwrap(), ["a", "b"], "what is refused is known all the same");
    assert!(matches!(manager.state("a"), Some(PluginState::Resolved)), "nobody has asked yet");

    let first = reason(manager.load("a").await.unwrap_err());
    assert!(first.starts_with("refused by the filter rule name=`a` (tests/it/"), "{first}");
    assert_eq!(state(&manager, "a"), format!("disabled: {first}"));
    for _ in 0..2 {
        assert!(Arc::ptr_eq(&first, &reason(manager.load("a").await.unwrap_err())));
    }
    let report = manager.try_load_all().await.unwrap();
    let [(id, why)] = report.disabled() else { panic!("{report}") };
    assert!(id.name == "a" && Arc::ptr_eq(why, &first) && report.is_ok(), "{report}");
    assert_eq!(runs.map(|runs| runs.all()), [[0, 0, 0], [1, 1, 1]]);
}

#[tokio::test]
async fn p10_any_rule_suffices_and_the_first_one_that_matches_is_named() {
    let rules = [named("x*"), named("a*"), FilterRule::builder().origin("it").build().unwrap()];
    let lines = rules.each_ref().map(ToString::to_string);
    let manager = filtered(rules, ["a1", "b", "x"].map(Plugin::new));
    let report = manager.load_all().await;
    assert_eq!(report.disabled().len(), 3, "{report}");
    for (name, line) in [("x", &lines[0]), ("a1", &lines[1]), ("b", &lines[2])] {
        let why = reason(manager.load(name).await.unwrap_err());
        assert!(why.ends_with(line), "{name}: {why}, not {line}");
    }
    assert!(lines[1].starts_with("name=`a*` (") && lines[2].starts_with("origin=`it` ("));
}

#[tokio::test]
async fn p10_p22_what_requires_a_refused_plugin_is_skipped_and_what_wants_it_loads() {
    let manager = filtered(
        [named("base")],
        [
            Plugin::new("base"),
            Plugin::new("needs").requires("base"),
            Plugin::new("needs-too").requires("needs"),
            Plugin::new("likes").wants("base"),
            Plugin::new("later").after("base"),
        ],
    );
    let report = manager.load_all().await;
    let loaded: Vec<_> = report.loaded().iter().map(|plugin| plugin.name().as_str()).collect();
    assert_eq!(loaded, ["later", "likes"]);
    assert_eq!((report.disabled().len(), report.failed().len()), (1, 0), "{report}");
    assert_eq!(state(&manager, "needs"), "skipped because of scripted:base");
    assert_eq!(state(&manager, "needs-too"), "skipped because of scripted:needs");
}

#[tokio::test]
async fn p10_a_refused_plugin_is_disabled_also_when_it_could_not_be_loaded_anyway() {
    #[plux::extension_point(namespace = "it.other")]
    trait Other {}
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(plux::ListFinder::new([
            Plugin::new("base").fails().spec(),
            Plugin::new("a").requires("base").spec(),
            PluginSpec::new::<dyn Other>(NAMESPACE, Name::literal("b"), || Err("other".into())),
        ]))
        .filter(named("[ab]"))
        .build();
    let report = manager.load_all().await;
    assert_eq!((report.disabled().len(), report.failed().len()), (2, 1), "{report}");
    assert!(report.skipped().is_empty(), "{report}");
}

#[tokio::test]
async fn p10_a_rule_is_process_wide_until_its_guard_is_dropped() {
    let before = manager(["guarded-a", "guarded-b"].map(Plugin::new));
    let guard = named("guarded-*").install();
    let after = manager(["guarded-a", "other"].map(Plugin::new));
    let why = reason(before.load("guarded-a").await.unwrap_err());
    assert!(why.starts_with("refused by the process-wide filter rule name=`guarded-*` ("), "{why}");
    assert!(after.load("guarded-a").await.is_err(), "managers that come later ask it too");
    assert!(after.load("other").await.is_ok());

    drop(guard);
    assert!(before.load("guarded-b").await.is_ok(), "nobody had decided on it");
    let again = reason(before.load("guarded-a").await.unwrap_err());
    assert!(Arc::ptr_eq(&why, &again), "what was decided stays");
    assert!(manager([Plugin::new("guarded-a")]).load("guarded-a").await.is_ok());
}

#[tokio::test]
async fn p10_a_rule_that_comes_late_leaves_what_has_loaded() {
    let manager = manager([Plugin::new("early")]);
    manager.load("early").await.unwrap();
    let _guard = named("early").install();
    assert!(manager.load("early").await.is_ok());
    assert!(manager.load_all().await.disabled().is_empty());
}

#[tokio::test]
async fn p10_own_filters_do_not_replace_the_process_wide_ones() {
    let _guard = named("wide").install();
    let manager = filtered([named("wide"), named("own")], ["own", "wide"].map(Plugin::new));
    for (name, expected) in [("wide", "the process-wide filter rule"), ("own", "the filter rule")] {
        let why = reason(manager.load(name).await.unwrap_err());
        assert!(why.starts_with(&format!("refused by {expected} name=`{name}` (")), "{why}");
    }
}

#[tokio::test]
async fn p10_each_guard_takes_its_own_rule_off() {
    let rule = named("twice");
    let (one, two, other) = (rule.clone().install(), rule.install(), named("none").install());
    let refused = async || manager([Plugin::new("twice")]).load("twice").await.is_err();
    assert!(refused().await);
    drop(one);
    assert!(refused().await, "the same rule is there a second time");
    drop(other);
    assert!(refused().await);
    drop(two);
    assert!(!refused().await);
}

#[tokio::test]
async fn p10_the_rule_of_a_forgotten_guard_stays_for_every_manager() {
    let early = manager([Plugin::new("forgotten")]);
    std::mem::forget(named("forgotten").install());
    drop(named("remembered").install());
    for manager in [early, manager([Plugin::new("forgotten")])] {
        assert!(manager.load("forgotten").await.is_err());
        drop(manager);
    }
    assert!(manager([Plugin::new("forgotten")]).load("forgotten").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn p10_a_refused_service_is_disabled_and_fails_the_start_of_what_requires_it() {
    let _guard = named("refused-*").install();
    let (base, top) = (Probe::new("refused-base"), Probe::new("top").requires("refused-base"));
    let kit = Kit::new([&base, &top]);
    let error = kit.supervisor.start("top").await.unwrap_err();
    let StartError::Disabled { name, culprit, reason, .. } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), culprit.as_str()), ("top", "refused-base"));
    assert!(reason.contains("the process-wide filter rule name=`refused-*`"), "{error}");
    assert!(matches!(kit.raw_state("refused-base"), ServiceState::Disabled(_)));
    assert!(kit.log.lines().is_empty(), "nothing of either has run");
}

#[test]
fn p10_a_rule_and_its_guard_print_what_they_refuse() {
    let rule = FilterRule::builder().namespace("p*").name("q").origin("r").build().unwrap();
    let line = rule.to_string();
    assert!(line.starts_with("namespace=`p*` name=`q` origin=`r` (tests/it/"), "{line}");
    assert_eq!(format!("{:?}", rule.install()), format!("FilterGuard({line})"));
}
