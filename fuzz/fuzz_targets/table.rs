//! CSV files: an error that steers no terminal, or a table that comes back when each cell is written in quotation
//! marks. What is learnt from it fits its own rows, and comes back from JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wengert_data::table::{Encoder, Missing, Schema, Table};
use wengert_data::{Batches, Rows};
use wengert_fuzz::{assert_harmless, file, within_memory};

fuzz_target!(|bytes: &[u8]| {
    let path = file("a.csv", bytes);
    within_memory(bytes.len(), || {
        let table = match Table::read(&path) {
            Ok(table) => table,
            Err(error) => return assert_harmless(&error.to_string()),
        };
        comes_back(&table);
        let foreseen =
            table.header().iter().fold(Schema::new(), |schema, name| schema.missing(name, Missing::Category));
        for schema in [Schema::new(), foreseen] {
            match schema.fit(&table) {
                Ok(encoder) => fits(&encoder, &table),
                Err(error) => assert_harmless(&error.to_string()),
            }
        }
    });
});

fn comes_back(table: &Table) {
    let columns: Vec<_> = table.header().iter().map(|name| table.column(name).expect("its own")).collect();
    let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    let line = |cells: Vec<String>| cells.join(",") + "\n";
    let mut text = line(table.header().iter().map(|name| quoted(name)).collect());
    for row in 0..table.len() {
        text += &line(columns.iter().map(|column| quoted(column[row])).collect());
    }
    let again = Table::read(file("again.csv", text.as_bytes())).expect("what was written");
    assert_eq!((again.header(), again.len()), (table.header(), table.len()));
    for (name, column) in table.header().iter().zip(columns) {
        assert_eq!(again.column(name).expect("the same name"), column);
    }
}

fn fits(encoder: &Encoder, table: &Table) {
    let features = encoder.features(table).expect("its own rows");
    let width = encoder.numbers().len();
    for batch in Batches::new(&features, 7) {
        assert_eq!(batch.numbers.shape()[1], width);
        assert!(batch.numbers.iter().all(|x| x.is_finite()));
    }
    assert_eq!(features.len(), table.len());
    let json = serde_json::to_string(encoder).expect("JSON");
    assert_eq!(&serde_json::from_str::<Encoder>(&json).expect("what was written"), encoder);
}
