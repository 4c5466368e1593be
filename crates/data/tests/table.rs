//! CSV files: what is read, what is learnt from it, and what is refused with file, line, column and value.

use std::fs;
use std::panic::catch_unwind;

use ndarray::{Array2, array};
use tempfile::TempDir;
use wengert_data::table::{Encoder, FeatureBatch, Missing, Schema, Table};
use wengert_data::{DataError, Dataset, Rows};

fn read(content: impl AsRef<[u8]>) -> Result<Table, DataError> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("t.csv");
    fs::write(&path, content).unwrap();
    Table::read(path)
}

/// The message behind the directory.
fn message(error: DataError) -> String {
    let text = error.to_string();
    text[text.find("t.csv").unwrap_or_else(|| panic!("the file is not named: {text}"))..].to_owned()
}

fn encoded(encoder: &Encoder, table: &Table) -> FeatureBatch {
    let features = encoder.features(table).unwrap();
    features.gather(&(0..table.len()).collect::<Vec<_>>())
}

#[test]
fn a_table_is_the_same_however_it_is_written() {
    for content in [
        "a,b\n1,x\n2,y z\n",
        "a,b\r\n1,x\r\n2,y z\r\n",
        "a,b\r1,x\r2,y z\r",
        "a,b\n1,x\n2,y z",
        "\u{feff}a,b\n1,x\n2,y z\n",
        "\u{feff}\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"y z\"\n",
        " a ,\tb\n 1, x\n2 ,y z \n",
        "\n\na,b\n\n1,x\n\n2,y z\n\n",
    ] {
        let table = read(content).unwrap_or_else(|error| panic!("{content:?}: {error}"));
        assert_eq!((table.header(), table.len()), (&["a".to_owned(), "b".to_owned()][..], 2), "{content:?}");
        assert_eq!(table.column("a").unwrap(), ["1", "2"], "{content:?}");
        assert_eq!(table.column("b").unwrap(), ["x", "y z"], "{content:?}");
    }
}

#[test]
fn quotations_hold_separators_line_breaks_and_quotation_marks() {
    let table = read("name,n\n\"a,b\",1\n\"say \"\"no\"\"\",2\n\"two\nlines\",3\n5\" pipe,4\n").unwrap();
    assert_eq!(table.column("name").unwrap(), ["a,b", "say \"no\"", "two\nlines", "5\" pipe"]);
    let error = Schema::new().number("name").fit(&table.subset(&[3])).unwrap_err();
    // Behind a cell of two lines.
    let expected = r#"t.csv: expected a number in line 6, column "name", found "5\" pipe""#;
    assert_eq!(message(error), expected);
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("t.tsv");
    fs::write(&path, "a\tb\n1,5\tx\n").unwrap();
    assert_eq!(Table::read_delimited(&path, b'\t').unwrap().column("a").unwrap(), ["1,5"]);
    for bad in [b'"', b'\n', b'x', b'0', 0, 200] {
        assert!(catch_unwind(|| Table::read_delimited(&path, bad)).is_err());
    }
}

#[test]
fn what_is_not_a_table_is_refused() {
    let long = "x".repeat(5000);
    for (content, expected) in [
        (&b""[..], "expected a header line, found an empty file"),
        (b"\n\n", "expected a header line, found an empty file"),
        (b"\xef\xbb\xbf", "expected a header line, found an empty file"),
        (b"a,b\n1,2\n1,2,3\n", "expected 2 cells in line 3, as in the header, found 3"),
        (b"a,b\n1\n", "expected 2 cells in line 2, as in the header, found 1"),
        (b"a,b,a\n", r#"expected a name of its own for each column, found "a" in columns 1 and 3"#),
        (b"a,,b,\n", r#"expected a name of its own for each column, found "" in columns 2 and 4"#),
        (
            b"a,b\n1,\"2\n3,4\n",
            "expected the end of the quotation that begins in line 2 or below, found the end of the file",
        ),
        (
            b"a\n1\n\"",
            "expected the end of the quotation that begins in line 3 or below, found the end of the file",
        ),
        (
            b"a,b\n1,\"x\"\"\n",
            "expected the end of the quotation that begins in line 2 or below, found the end of the file",
        ),
        (b"a,b\n1,\xff\n", "expected text in UTF-8, found other bytes in line 2, column 2"),
        (b"\xff\xfea\0,\0b\0\n\0", "expected text in UTF-8, found other bytes in line 1, column 1"),
        (b"a,b\n\0,2\n", "expected text in UTF-8, found other bytes in line 2, column 1"),
        (b"\x1f\x8b\x08\0\0\0", "expected text in UTF-8, found other bytes in line 1, column 1"),
        (b"\x89PNG\r\n\x1a\n\0\0", "expected text in UTF-8, found other bytes in line 1, column 1"),
    ] {
        let error = read(content).expect_err(&String::from_utf8_lossy(content));
        assert_eq!(message(error), format!("t.csv: {expected}"), "{:?}", String::from_utf8_lossy(content));
    }
    let error = read(format!("{long},{long}\n")).unwrap_err().to_string();
    assert!(error.len() < 1000, "{error}");
    let directory = TempDir::new().unwrap();
    assert!(matches!(Table::read(directory.path().join("absent")), Err(DataError::File(_))));
    assert!(Table::read(directory.path()).is_err());
    // Nothing but a header, and a cell that looks like the end of our own reading, are tables.
    assert_eq!(read("a,b").unwrap().len(), 0);
    assert_eq!(read("a\nEND\nEND").unwrap().column("a").unwrap(), ["END", "END"]);
}

#[test]
fn columns_are_what_their_training_values_are() {
    let table = read("n,c,mixed,none,exp\n1,x,1,,-1e3\n2,y,b,NA,.5\n3,x,3,,+7.\n").unwrap();
    let encoder = Schema::new().fit(&table).unwrap();
    assert_eq!(encoder.numbers(), ["n", "c=x", "c=y", "mixed=1", "mixed=3", "mixed=b", "exp"]);
    assert!(encoder.embeddings().is_empty() && encoder.classes().is_empty());
    let numbers = encoded(&encoder, &table).numbers;
    let s = 1.5_f32.sqrt();
    let expected =
        array![[-s, 1.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0, 1.0], [s, 1.0, 0.0, 0.0, 1.0, 0.0]];
    let left = numbers.slice(ndarray::s![.., ..6]);
    assert!(left.iter().zip(&expected).all(|(a, b): (&f32, &f32)| (a - b).abs() < 1e-6), "{numbers}");
}

#[test]
fn given_kinds_go_before_looking() {
    let table = read("id,zip,n,y,label\n7,1010,4,1.5,cat\n8,8010,6,2.5,dog\n9,1010,8,-3,cat\n").unwrap();
    let schema = Schema::new().ignore("id").embedding("zip").raw_number("n").target("y").class("label");
    let encoder = schema.fit(&table).unwrap();
    let batch = encoded(&encoder, &table);
    assert_eq!(batch.numbers, array![[4.0], [6.0], [8.0]].into_dyn());
    assert_eq!(batch.categories, [[1, 2, 1]]);
    assert_eq!((encoder.embeddings(), encoder.numbers()), (vec![("zip", 3)], vec!["n".to_owned()]));
    assert_eq!(encoder.targets(&table).unwrap(), array![[1.5], [2.5], [-3.0]]);
    assert_eq!(
        (encoder.labels(&table).unwrap(), encoder.classes()),
        (vec![0, 1, 0], &["cat".into(), "dog".into()][..])
    );
    // The later statement counts, and several targets keep the file's order.
    let encoder = schema.clone().one_hot("zip").target("n").class("label").fit(&table).unwrap();
    assert_eq!(encoder.numbers(), ["zip=1010", "zip=8010"]);
    assert_eq!(encoder.targets(&table).unwrap().row(2), array![8.0, -3.0]);
}

#[test]
fn categories_that_were_not_in_the_training_part_have_a_place() {
    let table = read("one,emb\nb,b\na,a\nnew,new\n,\n").unwrap();
    for (missing, rows, one_hot, indices) in [
        (Missing::Error, &[0, 1, 2][..], array![[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]], &[2, 1, 0][..]),
        (
            Missing::Category,
            &[0, 1, 2, 3],
            array![[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
            &[2, 1, 0, 3],
        ),
    ] {
        let schema = Schema::new().embedding("emb").missing("one", missing).missing("emb", missing);
        let encoder = schema.fit(&table.subset(&[0, 1])).unwrap();
        let batch = encoded(&encoder, &table.subset(rows));
        assert_eq!(batch.numbers, one_hot.into_dyn());
        assert_eq!(batch.categories, [indices]);
        assert_eq!(encoder.numbers().len(), batch.numbers.len() / rows.len());
        assert!(indices.iter().all(|&index| index < encoder.embeddings()[0].1));
    }
}

/// Formulas: mean and median of what is there; the deviation of the column as it is filled up.
#[test]
fn missing_values_are_an_error_or_what_was_asked_for() {
    let table = read("n\n1\nNA\n2\n\"\"\n9\nnull\n").unwrap();
    let error = Schema::new().fit(&table).unwrap_err();
    assert_eq!(message(error), r#"t.csv: expected a number in line 3, column "n", found "NA""#);
    for (missing, fill) in [(Missing::Mean, 4.0), (Missing::Median, 2.0)] {
        let values = [1.0, fill, 2.0, fill, 9.0, fill];
        let raw = Schema::new().raw_number("n").missing("n", missing).fit(&table).unwrap();
        assert_eq!(
            encoded(&raw, &table).numbers.iter().copied().collect::<Vec<f32>>(),
            values.map(|x| x as f32)
        );
        let scaled = Schema::new().missing("n", missing).fit(&table).unwrap();
        let mean = values.iter().sum::<f64>() / 6.0;
        let std = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 6.0).sqrt();
        for (found, x) in encoded(&scaled, &table).numbers.iter().zip(values) {
            assert!((f64::from(*found) - (x - mean) / std).abs() < 1e-6);
        }
    }
    let even = read("n\n1\n3\n10\n4\n?\n").unwrap();
    let median = Schema::new().raw_number("n").missing("n", Missing::Median).missing_words(&["?"]);
    assert_eq!(encoded(&median.fit(&even).unwrap(), &even).numbers[[4, 0]], 3.5);
    // `NA` is a country once other words are given.
    let country = read("c\nAT\nNA\n").unwrap();
    assert!(Schema::new().fit(&country).is_err());
    assert_eq!(Schema::new().missing_words(&[]).fit(&country).unwrap().numbers(), ["c=AT", "c=NA"]);
}

/// Each with the row that is wrong, in a file where it stands in line 4.
#[test]
fn cells_that_are_not_what_the_column_is_are_named() {
    let schema = || Schema::new().number("n").target("y").class("c").embedding("e");
    let train = read("n,y,c,e\n1,1,a,u\n2,2,b,v\n").unwrap();
    let encoder = schema().fit(&train).unwrap();
    for (row, expected) in [
        ("x,1,a,u", r#"a number in line 4, column "n", found "x""#),
        (",1,a,u", r#"a number in line 4, column "n", found """#),
        ("1e39,1,a,u", r#"a number in line 4, column "n", found "1e39""#),
        ("inf,1,a,u", r#"a number in line 4, column "n", found "inf""#),
        ("\"1,5\",1,a,u", r#"a number in line 4, column "n", found "1,5""#),
        ("1 000,1,a,u", r#"a number in line 4, column "n", found "1 000""#),
        ("1,NA,a,u", r#"a number in line 4, column "y", found "NA""#),
        ("1,1,,u", r#"one of the 2 classes learnt in line 4, column "c", found """#),
        ("1,1,z,u", r#"one of the 2 classes learnt in line 4, column "c", found "z""#),
        ("1,1,a,", r#"a category in line 4, column "e", found """#),
    ] {
        let table = read(format!("n,y,c,e\n1,1,a,u\n2,2,b,v\n{row}\n")).unwrap();
        let parts =
            [encoder.features(&table).err(), encoder.targets(&table).err(), encoder.labels(&table).err()];
        let [error] = <[_; 1]>::try_from(parts.into_iter().flatten().collect::<Vec<_>>()).unwrap();
        assert_eq!(message(error), format!("t.csv: expected {expected}"));
        if !row.contains('z') {
            let error = schema().fit(&table).unwrap_err();
            assert!(message(error).contains("in line 4"), "{row}");
        }
    }
    let steps = read(format!("n,y,c,e\n{}{},1,a,u\n", "1e-38,1,a,u\n0,1,a,u\n", "3e38")).unwrap();
    let narrow = Schema::new().ignore("y").ignore("c").fit(&steps.subset(&[0, 1])).unwrap();
    let error = narrow.features(&steps).unwrap_err();
    assert_eq!(
        message(error),
        r#"t.csv: expected a number near those learnt from in line 4, column "n", found "3e38""#
    );
}

#[test]
fn schemas_that_do_not_fit_the_table_are_refused() {
    let table = read("a,b\n1,x\n2,\n").unwrap();
    let error = Schema::new().target("prize").fit(&table).unwrap_err();
    assert_eq!(message(error), r#"t.csv: expected a column "prize", found the columns "a", "b""#);
    assert!(Schema::new().missing("q", Missing::Mean).fit(&table).is_err());
    let error = Schema::new().fit(&table.subset(&[])).unwrap_err();
    assert_eq!(message(error), "t.csv: expected at least one row to learn from, found none");
    let error = Schema::new().missing("b", Missing::Median).fit(&table.subset(&[1])).unwrap_err();
    assert_eq!(message(error), r#"t.csv: expected at least one value in column "b", found none"#);
    let ids: String = (0..1001).map(|i| format!("id{i},{i}\n")).collect();
    let error = Schema::new().fit(&read(format!("id,n\n{ids}")).unwrap()).unwrap_err();
    assert_eq!(
        message(error),
        r#"t.csv: expected at most 1000 categories in column "id" (or embed or ignore it), found 1001"#
    );
    assert!(table.column("c").is_err());
    let contradictions: [fn(&Table); 5] = [
        |table| _ = Schema::new().class("a").class("b").fit(&table.subset(&[0])),
        |table| _ = Schema::new().one_hot("a").missing("a", Missing::Mean).fit(table),
        |table| _ = Schema::new().number("a").missing("a", Missing::Category).fit(table),
        |table| _ = Schema::new().target("a").missing("a", Missing::Mean).fit(table),
        |table| _ = Schema::new().ignore("b").fit(table).unwrap().labels(table),
    ];
    for contradiction in contradictions {
        assert!(catch_unwind(|| contradiction(&table)).is_err());
    }
    assert!(catch_unwind(|| table.subset(&[2])).is_err());
}

#[test]
fn a_second_program_gives_new_rows_the_same_bits() {
    let lines: String = (0..50).map(|i| format!("{},t{},{}\n", f64::from(i).sqrt(), i % 7, i)).collect();
    let table = read(format!("x,t,y\n{lines}")).unwrap();
    let encoder =
        Schema::new().embedding("t").target("y").fit(&table.subset(&(0..30).collect::<Vec<_>>())).unwrap();
    let json = serde_json::to_string(&encoder).unwrap();
    let again: Encoder = serde_json::from_str(&json).unwrap();
    assert_eq!(again, encoder);
    let (a, b) = (encoded(&encoder, &table), encoded(&again, &table));
    assert_eq!((a.numbers, a.categories), (b.numbers, b.categories));

    // Columns in another order, others beside them, and no target: what a program that predicts may have.
    let other = read("t,more,x\nt3,?,2.5\n").unwrap();
    let same = read("x,t,y\n2.5,t3,0\n").unwrap();
    let (a, b) = (encoded(&again, &other), encoded(&encoder, &same));
    assert_eq!((a.numbers, a.categories), (b.numbers, b.categories));
    assert_eq!(
        message(again.targets(&other).unwrap_err()),
        r#"t.csv: expected a column "y", found the columns "t", "more", "x""#
    );
}

/// Whatever numbers a file of an encoder holds, and in whatever order its categories are.
#[test]
fn an_encoder_that_somebody_else_wrote_cannot_panic() {
    let table = read("n,c,e\n1,x,x\n2,y,\n").unwrap();
    let schema = Schema::new().missing("e", Missing::Category).embedding("e").missing("c", Missing::Category);
    let json = serde_json::to_string(&schema.fit(&table).unwrap()).unwrap();
    for (from, to) in [
        (r#""std":0.5"#, r#""std":0.0"#),
        (r#""std":0.5"#, r#""std":-1e-308"#),
        (r#"["x","y"]"#, r#"["y","x","y"]"#),
        (r#"["x","y"]"#, "[]"),
        (r#""missing":true"#, r#""missing":false"#),
    ] {
        assert!(json.contains(from), "{json}");
        let encoder: Encoder = serde_json::from_str(&json.replacen(from, to, 2)).unwrap();
        if let Ok(features) = encoder.features(&table) {
            let batch = features.gather(&[0, 1]);
            assert!(batch.numbers.iter().all(|x| x.is_finite()));
            assert!(batch.categories[0].iter().all(|&index| index < encoder.embeddings()[0].1));
        }
    }
}

#[test]
fn features_and_targets_make_batches() {
    let table = read("n,c,e,y\n1,a,u,10\n2,b,v,20\n3,a,u,30\n").unwrap();
    let encoder = Schema::new().raw_number("n").embedding("e").target("y").fit(&table).unwrap();
    let data = Dataset::new(encoder.features(&table).unwrap(), encoder.targets(&table).unwrap()).unwrap();
    let batches: Vec<_> = data.subset(&[2, 0, 1]).batches(2).prefetch(1).collect();
    assert_eq!(batches[0].x.numbers, array![[3.0, 1.0, 0.0], [1.0, 1.0, 0.0]].into_dyn());
    assert_eq!(
        (&batches[0].x.categories, &batches[0].y),
        (&vec![vec![1, 1]], &array![[30.0], [10.0]].into_dyn().into_shared())
    );
    assert_eq!(batches[1].x.numbers, array![[2.0, 0.0, 1.0]].into_dyn());
    let error = Dataset::new(encoder.features(&table).unwrap(), Array2::<f32>::zeros((2, 1))).unwrap_err();
    assert!(matches!(error, DataError::RowMismatch { .. }));
}
