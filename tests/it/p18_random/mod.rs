//! Random graphs of random plugins, loaded by random callers, against a plain model of what must come
//! of it.

mod case;
mod check;
mod model;
mod play;
mod smaller;
mod times;

use case::Case;
use check::Agrees;

/// Unless `PLUX_CASES` says otherwise: about a second in a debug build.
const CASES: u64 = 1_000;

fn agrees(case: &Case) -> Agrees {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    let seen = runtime.block_on(play::play(case));
    check::case(case, &seen)
}

/// `PLUX_CASES=100000 cargo test --release -p plux-tests --test it -- a_plain_model` tries more.
#[test]
fn p13_p14_p15_p16_p17_p18_p19_p20_p21_p22_p23_p26_random_loads_agree_with_a_plain_model() {
    let number = |name| std::env::var(name).ok().and_then(|it: String| it.parse().ok());
    let cases = number("PLUX_CASES").unwrap_or(CASES);
    for seed in 0..cases {
        let case = Case::new(seed);
        if agrees(&case).is_err() {
            let small = smaller::smallest(case, |case| agrees(case).is_err());
            let what = agrees(&small).err().unwrap_or_default();
            panic!("seed {seed}: {what}\n{small}");
        }
    }
}
