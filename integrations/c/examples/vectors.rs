//! Writes the tables of the crate's tests, for tests/test.c: of each function with each of its parameters, special and random numbers with the
//! expected results, as bits.

#[path = "../../../tests/common/mod.rs"]
mod common;

use common::format::Format;
use common::functions::FUNCTIONS;
use rectify_c::rectify_kind;

fn main() {
    for function in FUNCTIONS {
        let kind = (0..).map_while(kind).position(|name| name == function.name).unwrap();
        for case in function.cases() {
            let [first, second] = case.parameters.map(f64::to_bits);
            for (index, &format) in Format::ALL.iter().enumerate() {
                let mut x = format.special_patterns();
                x.extend(format.scattered(67, 1));
                let g = format.scattered(x.len(), 2);
                println!("{kind} {first:x} {second:x} {index} {}", x.len());
                for (x, g) in x.into_iter().zip(g) {
                    println!(
                        "{x:x} {g:x} {:x} {:x}",
                        case.forward(format, x),
                        case.backward(format, x, g)
                    );
                }
            }
        }
    }
}

/// The name of a kind, in snake case.
fn kind(number: u32) -> Option<String> {
    if number > rectify_kind::Tanhshrink as u32 {
        return None;
    }
    let function = rectify_c::rectify_function {
        kind: number,
        parameters: [1.0, 2.0],
    };
    let mut snake = String::new();
    for letter in function.activation().ok()?.name().chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    Some(snake)
}
