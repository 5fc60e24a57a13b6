#!/usr/bin/env bash
# Writes one text file per book of the King James Bible, from Debian's package bible-kjv-text.
# Needs: apt-get install bible-kjv bible-kjv-text
set -euo pipefail
cd "$(dirname "$0")"

# File name, the name that the `bible` program knows, the last chapter and verse.
books='
01-genesis Ge 50:26
02-exodus Ex 40:38
03-leviticus Lev 27:34
04-numbers Num 36:13
05-deuteronomy Deut 34:12
06-joshua Josh 24:33
07-judges Judg 21:25
08-ruth Ruth 4:22
09-1-samuel 1Sam 31:13
10-2-samuel 2Sam 24:25
11-1-kings 1Ki 22:53
12-2-kings 2Ki 25:30
13-1-chronicles 1Chr 29:30
14-2-chronicles 2Chr 36:23
15-ezra Ezra 10:44
16-nehemiah Neh 13:31
17-esther Esther 10:3
18-job Job 42:17
19-psalms Psalms 150:6
20-proverbs Prov 31:31
21-ecclesiastes Eccl 12:14
22-song-of-solomon Song 8:14
23-isaiah Is 66:24
24-jeremiah Jer 52:34
25-lamentations Lam 5:22
26-ezekiel Ezek 48:35
27-daniel Dan 12:13
28-hosea Hos 14:9
29-joel Joel 3:21
30-amos Amos 9:15
31-obadiah Obad 1:21
32-jonah Jonah 4:11
33-micah Mic 7:20
34-nahum Nahum 3:19
35-habakkuk Hab 3:19
36-zephaniah Zeph 3:20
37-haggai Hag 2:23
38-zechariah Zech 14:21
39-malachi Mal 4:6
40-matthew Mt 28:20
41-mark Mk 16:20
42-luke Lk 24:53
43-john John 21:25
44-acts Acts 28:31
45-romans Rom 16:27
46-1-corinthians 1Cor 16:24
47-2-corinthians 2Cor 13:14
48-galatians Gal 6:18
49-ephesians Eph 6:24
50-philippians Phil 4:23
51-colossians Col 4:18
52-1-thessalonians 1Thes 5:28
53-2-thessalonians 2Thes 3:18
54-1-timothy 1Tim 6:21
55-2-timothy 2Tim 4:22
56-titus Titus 3:15
57-philemon Philemon 1:25
58-hebrews Heb 13:25
59-james James 5:20
60-1-peter 1Pet 5:14
61-2-peter 2Pet 3:18
62-1-john 1John 5:21
63-2-john 2John 1:13
64-3-john 3John 1:14
65-jude Jude 1:25
66-revelation Rev 22:21
'

while read -r name book end; do
    [ -n "$name" ] || continue
    # A verse per line, as "chapter:verse text".
    bible -f "${book}1:1-${book}${end}" </dev/null | sed -n 's/^[0-9]*[A-Za-z]*\([0-9]*:[0-9]* \)/\1/p' >"$name.txt"
    tail -n 1 "$name.txt" | grep -q "^$end " || { echo "$name does not end at $end" >&2; exit 1; }
done <<<"$books"
wc -lc -- *.txt | tail -n 1
