//! Names that a manager is told to require.

use plux::{
    BuildProblem, Chain, EntryError, Found, LoadError, PluginFinder, PluginManager, Supervisor,
};

use crate::kit::{Log, Probe, Scripted};
use crate::scripted::{Plugin, Script, finder};

fn manager(
    plugins: impl IntoIterator<Item = Plugin>,
    required: &[&str],
) -> PluginManager<dyn Script> {
    let required = required.iter().copied();
    PluginManager::builder(()).finder(finder(plugins)).require(required).build()
}

#[track_caller]
fn name(error: &LoadError) -> &str {
    match error {
        LoadError::Required { name, .. } => name,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn p08_a_required_name_that_is_missing_explains_the_linking_trap_and_the_rest_loads() {
    let manager = manager([Plugin::new("s3"), Plugin::new("sqs")], &["sns", "s3", "s 3", "sns"]);
    let report = manager.load_all().await;
    assert_eq!(report.loaded().len(), 2);
    assert!(report.failed().is_empty() && !report.is_ok(), "{report}");
    assert_eq!(report.missing().iter().map(name).collect::<Vec<_>>(), ["s 3", "sns"]);
    let [_, LoadError::Required { namespace, near, manager: place, .. }] = report.missing() else {
        panic!("{report}");
    };
    assert_eq!((namespace.as_str(), place.file()), ("scripted", file!()));
    assert_eq!(near.0, ["sqs"]);
    let text = report.to_string();
    assert!(text.contains("missing: no plugin `sns` in namespace `scripted`"), "{text}");
    assert!(text.contains("did you mean `sqs`") && text.contains("p08_required.rs:"), "{text}");
    assert!(text.contains("plux::link!"), "{text}");
}

#[tokio::test]
async fn p08_strict_a_required_name_that_is_missing_is_an_error_before_anything_begins() {
    let plugin = Plugin::new("s3");
    let runs = plugin.runs();
    let manager = manager([plugin, Plugin::new("lost").requires("nobody")], &["sqs", "sns"]);
    assert_eq!(name(&manager.try_load_all().await.unwrap_err()), "sns");
    assert_eq!(runs.all(), [0; 3]);
    assert!(manager.load("s3").await.is_ok(), "what is there can be loaded");
    let error = manager.load("sns").await.unwrap_err();
    assert!(matches!(error, LoadError::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn p08_what_is_required_and_there_is_not_missing_whatever_comes_of_it() {
    let broken = |_: &plux::Namespace| {
        let errors = vec![EntryError::new("unresolved", std::io::Error::other("no luck"))];
        Found { errors, ..Found::default() }
    };
    struct Gives<F>(F);
    impl<F: Fn(&plux::Namespace) -> Found + Send + Sync + 'static> PluginFinder for Gives<F> {
        fn find(&self, namespace: &plux::Namespace) -> Result<Found, plux::BoxError> {
            Ok((self.0)(namespace))
        }
    }
    let plugins = [Plugin::new("fails").fails(), Plugin::new("off").disabled()];
    let names = ["fails", "off", "unresolved"];
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(Chain::new().with(finder(plugins)).with(Gives(broken)))
        .require(names)
        .build();
    let report = manager.load_all().await;
    assert!(report.missing().is_empty(), "{report}");
    assert_eq!((report.failed().len(), report.disabled().len()), (2, 1), "{report}");
}

#[tokio::test]
async fn p08_all_that_is_required_and_there_is_no_error() {
    let manager = manager([Plugin::new("s3"), Plugin::new("sqs")], &["s3", "sqs"]);
    assert!(manager.load_all().await.is_ok());
    assert!(manager.try_load_all().await.unwrap().missing().is_empty());
}

#[tokio::test]
async fn p08_a_supervisor_refuses_a_manager_without_what_it_requires() {
    let log = Log::default();
    let managers = ["here", "there"].map(|name| {
        let finder = plux::ListFinder::new([Probe::new(name).spec(&log)]);
        let builder = PluginManager::<dyn Scripted>::builder(()).finder(finder);
        builder.require(["here", "there"]).build()
    });
    let builder = managers.into_iter().fold(Supervisor::builder(), |all, one| all.manager(one));
    let error = builder.build().unwrap_err();
    let [BuildProblem::Required(one), BuildProblem::Required(other)] = &*error.problems else {
        panic!("{error}");
    };
    assert_eq!((name(one), name(other)), ("there", "here"), "each manager has a list of its own");
    assert!(error.to_string().contains("plux::link!"), "{error}");
}
