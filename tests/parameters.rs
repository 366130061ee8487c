//! Parameters that mean nothing.

use rectify::{ClippedRelu, HardSigmoid, Hardtanh, LeakyRelu, ThresholdedRelu};

#[test]
fn parameters_that_mean_nothing_panic() {
    let refused: [(&str, fn()); 11] = [
        ("ClippedRelu: `max`", || _ = ClippedRelu::new(-1.0)),
        ("ClippedRelu: `max`", || _ = ClippedRelu::new(f64::NAN)),
        ("Hardtanh: `min`", || _ = Hardtanh::new(1.0, 0.0)),
        ("Hardtanh: `min`", || _ = Hardtanh::new(f64::NAN, 1.0)),
        ("Hardtanh: `min`", || _ = Hardtanh::new(0.0, f64::NAN)),
        ("ThresholdedRelu: `alpha`", || _ = ThresholdedRelu::new(f64::NAN)),
        ("LeakyRelu: `negative_slope`", || _ = LeakyRelu::new(f64::NAN)),
        ("LeakyRelu: `negative_slope`", || _ = LeakyRelu::new(f64::INFINITY)),
        ("HardSigmoid: `alpha`", || _ = HardSigmoid::new(0.0, 0.5)),
        ("HardSigmoid: `alpha`", || _ = HardSigmoid::new(f64::NAN, 0.5)),
        ("HardSigmoid: `beta`", || _ = HardSigmoid::new(0.2, f64::INFINITY)),
    ];
    for (name, new) in refused {
        let panic = std::panic::catch_unwind(new).expect_err(name);
        let message = panic.downcast_ref::<&str>().expect("a message");
        assert!(message.starts_with(name), "{message}");
    }
}
