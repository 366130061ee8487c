use rectify::Isa;

/// The instruction sets that `RECTIFY_REQUIRE_ISA` lists, separated by commas: tests fail where one of them is not available.
pub fn required() -> Vec<Isa> {
    let names = std::env::var("RECTIFY_REQUIRE_ISA").unwrap_or_default();
    let parse = |name: &str| {
        name.parse()
            .unwrap_or_else(|error| panic!("RECTIFY_REQUIRE_ISA: '{name}': {error}"))
    };
    names.split(',').filter(|name| !name.is_empty()).map(parse).collect()
}
