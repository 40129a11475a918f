//! The budget of a group after one of its members was given up.

use plux::{Backoff, GiveUp, Group, Intensity};

use crate::kit::{Do, Kit, Probe, SECOND, order};

#[tokio::test(start_paused = true)]
async fn r04_r07_what_a_group_used_up_does_not_count_when_the_period_is_over() {
    for then in [GiveUp::Fail, GiveUp::CoolDown(3600 * SECOND)] {
        let (a, b) = (Probe::new("a"), Probe::new("b"));
        let kit = Kit::with([&a, &b], |builder| {
            builder.intensity(Intensity::UNLIMITED).backoff(Backoff::NONE).group(
                Group::one_for_one("pool", ["a", "b"])
                    .with_intensity(Intensity::new(1, SECOND), then),
            )
        });
        assert!(kit.supervisor.start_all().await.is_ok());
        order(&a, Do::Fail("no")).await;
        order(&a, Do::Fail("no")).await;
        assert_eq!(kit.raw_state("a").word(), "failed");
        // Five periods later, and sooner than a run counts as stable.
        tokio::time::sleep(5 * SECOND).await;
        order(&b, Do::Fail("the first time")).await;
        assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("running", 2), "{then:?}");
    }
}
