//! The smooth functions in `f64` on each instruction set against mpmath's numbers (`table.txt`, by `table.py`).

use crate::accuracy::ulps_of;
use crate::common::all_kernels;
use crate::common::format::{Format, power_of_2};
use crate::common::functions::{FUNCTIONS, Function};
use crate::common::wide::Wide;

/// A nearest `f64` by its bits, and 1/1000 ulp that the exact number is further from 0.
fn exact(cell: &str) -> Wide {
    let end = cell.find(['+', '-']).unwrap_or(cell.len());
    let high = f64::from_bits(u64::from_str_radix(&cell[..end], 16).unwrap());
    let thousandths = if end == cell.len() {
        0.0
    } else {
        cell[end..].parse::<f64>().unwrap()
    };
    let exponent = (high.abs().to_bits() >> 52) as i32 - 1023 - 52;
    // Of a subnormal number the rest is none.
    let low = if exponent < -1022 {
        0.0
    } else {
        thousandths / 1000.0 * power_of_2(exponent)
    };
    Wide {
        high,
        low: low * high.signum(),
    }
}

#[test]
fn results_are_within_the_bounds_of_the_pages() {
    let mut sections = 0;
    for section in include_str!("table.txt").split("# ").skip(1) {
        let (title, rows) = section.split_once('\n').unwrap();
        let mut words = title.split(' ');
        let name = words.next().unwrap();
        let parameter = words.next().map_or(0.0, |word| word.parse().unwrap());
        let case = Function::named(name).with([parameter, 0.0]);
        let real = case.function.real.as_ref().unwrap();
        let [of_value, of_slope] = real.by_default[1];
        let rows: Vec<_> = rows
            .lines()
            .map(|row| {
                let mut cells = row.split(' ');
                let x = f64::from_bits(u64::from_str_radix(cells.next().unwrap(), 16).unwrap());
                (x, exact(cells.next().unwrap()), exact(cells.next().unwrap()))
            })
            .collect();
        let x: Vec<f64> = rows.iter().map(|row| row.0).collect();
        for kernels in all_kernels() {
            let (mut values, mut slopes) = (x.clone(), vec![1.0; x.len()]);
            kernels.forward_inplace(case.activation(), &mut values);
            kernels.backward_inplace(case.activation(), &x, &mut slopes);
            for ((&(x, value, slope), y), grad) in rows.iter().zip(values).zip(slopes) {
                let cancelling = (real.cancelling)(case.parameters, x);
                let results = [
                    ("value", y, value, of_value, 0.0),
                    ("gradient", grad, slope, of_slope, cancelling),
                ];
                for (what, result, exact, bound, size) in results {
                    let ulps = ulps_of(Format::F64, result.to_bits(), exact, size);
                    assert!(
                        ulps <= bound,
                        "{title} on {}: the {what} at {x:e} is off by {ulps:.3} ulp",
                        kernels.isa()
                    );
                }
            }
        }
        sections += 1;
    }
    assert_eq!(
        sections,
        FUNCTIONS.iter().filter(|function| function.is_smooth()).count()
    );
}
