//! The scenarios of Python plux's tests of its global filter, as they hold here.
//!
//! From `tests/test_manager.py`, `TestGlobalPluginFilter`: `test_disable_namespace`,
//! `test_non_matching_namespace`, `test_disable_name`, `test_disable_value`; from
//! `tests/test_listener.py`: `test_on_load_before_can_disable_plugin`.
//!
//! Trap: the list is the whole process's, so each test has a namespace of its own and its rules
//! match nothing outside of that.

use std::sync::Arc;

use plux::{
    Disabled, FilterGuard, FilterRule, FilterRuleBuilder, ListFinder, LoadError, Name, Namespace,
    Origin, PluginFilter, PluginManager, PluginSpec,
};

#[plux::extension_point(namespace = "python.filtered")]
trait Filtered {}

struct Plain;

#[plux::async_trait]
impl Filtered for Plain {}

/// `shouldload` and `shouldalsoload`, each of a module of its own.
fn two(namespace: &'static str) -> PluginManager<dyn Filtered> {
    filtered(namespace, None)
}

fn filtered(namespace: &'static str, filter: Option<Objects>) -> PluginManager<dyn Filtered> {
    let namespace = Namespace::literal(namespace);
    let specs = [("shouldload", "their_s3::plugins"), ("shouldalsoload", "their_sqs::plugins")];
    let specs = specs.map(|(name, module)| {
        PluginSpec::new::<dyn Filtered>(namespace.clone(), Name::literal(name), || {
            Ok(Arc::new(Plain) as Arc<dyn Filtered>)
        })
        .with_origin(Origin::new("theirs", "1.0.0", module, "src/plugins.rs", 1))
    });
    let builder = PluginManager::<dyn Filtered>::builder(());
    let builder = builder.namespace(namespace).finder(ListFinder::new(specs));
    filter.into_iter().fold(builder, |builder, filter| builder.filter(filter)).build()
}

/// Puts a rule on the list; the namespace is the test's own.
fn installed(namespace: &str, rule: FilterRuleBuilder) -> FilterGuard {
    rule.namespace(namespace).build().unwrap().install()
}

/// How many load, and how many are disabled.
async fn counts(manager: &PluginManager<dyn Filtered>) -> (usize, usize) {
    let report = manager.load_all().await;
    assert!(report.is_ok() && report.skipped().is_empty(), "{report}");
    (report.loaded().len(), report.disabled().len())
}

#[tokio::test]
async fn p10_a_process_wide_rule_for_a_family_of_namespaces_disables_all_that_are_in_it() {
    let (before, other) = (two("python.family.dummy"), two("python.families"));
    let guard = installed("python.family.*", FilterRule::builder());
    assert_eq!(counts(&before).await, (0, 2), "a manager that was there already");
    assert_eq!(counts(&two("python.family.other")).await, (0, 2));
    assert_eq!(counts(&other).await, (2, 0));
    drop(guard);
    assert_eq!(counts(&two("python.family.dummy")).await, (2, 0));
}

#[tokio::test]
async fn p10_a_rule_for_what_is_below_a_namespace_leaves_the_namespace_itself() {
    let manager = two("python.parent");
    let _guard = installed("python.parent.*", FilterRule::builder());
    assert_eq!(counts(&manager).await, (2, 0));
    assert_eq!(counts(&two("python.parent.below")).await, (0, 2));
}

#[tokio::test]
async fn p10_a_process_wide_rule_for_names_disables_those_alone() {
    let manager = two("python.named");
    let _guard = installed("python.named", FilterRule::builder().name("*also*"));
    assert_eq!(counts(&manager).await, (1, 1));
    assert!(manager.get("shouldload").is_some() && manager.get("shouldalsoload").is_none());
}

#[tokio::test]
async fn p10_a_process_wide_rule_for_an_origin_disables_what_was_registered_there() {
    let modules = two("python.modules");
    let _one = installed("python.modules", FilterRule::builder().origin("their_s3::*"));
    assert_eq!(counts(&modules).await, (1, 1));
    assert!(modules.get("shouldalsoload").is_some());

    let package = two("python.package");
    let _all = installed("python.package", FilterRule::builder().origin("theirs"));
    assert_eq!(counts(&package).await, (0, 2));
}

/// Refuses `shouldload` when it is initialized.
struct Objects;

impl PluginFilter<dyn Filtered> for Objects {
    fn before_load(&self, spec: &PluginSpec, _: &dyn Filtered) -> Result<(), Disabled> {
        match spec.name().as_str() {
            "shouldload" => Err(Disabled::because("decided before it loads")),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn p10_p11_a_filter_given_when_the_manager_is_built_is_asked_as_the_rules_are() {
    let manager = filtered("python.built", Some(Objects));
    let guard = installed("python.built", FilterRule::builder().name("*also*"));
    assert_eq!(counts(&manager).await, (0, 2));
    for (name, why) in [
        ("shouldload", "decided before it loads"),
        ("shouldalsoload", "refused by the process-wide filter rule"),
    ] {
        let error = manager.load(name).await.unwrap_err();
        let LoadError::Disabled { reason, .. } = &error else { panic!("{error}") };
        assert!(reason.starts_with(why), "{error}");
    }
    drop(guard);
}
