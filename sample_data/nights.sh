#!/bin/sh
# Three nights in a row, into the emulator: what `make demo-nightly` shows. Usage: nights.sh FOLDER
set -eu
importer=${IMPORTER:-importer}
samples=$(dirname "$0")
home=$1
rm -rf "$home"
mkdir -p "$home/inbox"

night() { # NUMBER WHAT-HAPPENS EXIT-CODE WHAT-THAT-MEANS; another exit code ends the show
    printf '\n=== Night %s: %s\n' "$1" "$2"
    for file in "$home/inbox"/*.*; do touch "$file.done" && echo "    arrived: $(basename "$file")"; done
    code=0
    "$importer" nightly "$home/inbox" --target emulator --workspace "$home/runs" --quiet || code=$?
    if [ "$code" -ne "$3" ]; then
        echo "Night $1 ended with exit code $code, and should have with $3: $4." >&2
        exit 1
    fi
    echo "    exit code $code: $4"
}

head -n 121 "$samples/customers.csv" > "$home/inbox/customers-monday.csv"
cp "$samples/businesses.csv" "$home/inbox/businesses-monday.csv"
night 1 "two files arrive" 0 "every row became a customer"

{ head -n 1 "$samples/customers.csv"; tail -n 121 "$samples/customers.csv"; } > "$home/inbox/customers-tuesday.csv"
head -c 4000 "$samples/customers.xlsx" > "$home/inbox/broken-tuesday.xlsx"
night 2 "one file repeats customers of Monday, another one is broken" 6 "a file cannot be used; the other one went on"

cp "$home"/inbox/archive/*_customers-monday.csv/customers-monday.csv "$home/inbox/customers-again.csv"
cp "$samples/customers_messy.csv" "$home/inbox/customers-wednesday.csv"
night 3 "Monday's file is delivered once more, and a new one has mistakes" 3 "some rows need fixing"

printf '\n=== What is left in %s/inbox\n' "$home"
(cd "$home/inbox" && ls -d archive/* failed/*)
printf '\nFix the rows in a rejects.csv and drop it into the folder again: only those rows are sent.\n'
