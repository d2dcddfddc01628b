// Ids and texts of the reference implementation, one JSON line per item of a list.
// usage: node reference_tokenizer.mjs NODE_MODULES TOKENIZER_JSON ITEMS_JSON; the line of a text has "ids" and
// "ids_plain", that of a list of ids "text" and "text_plain" (without special tokens), or either "error".
import { createRequire } from 'module';
import fs from 'fs';

const [modules, file, items] = process.argv.slice(2);
const { Tokenizer } = createRequire(`${modules}/`)('@anush008/tokenizers');
const tokenizer = Tokenizer.fromFile(file);
for (const item of JSON.parse(fs.readFileSync(items, 'utf8'))) {
  const line = {};
  try {
    if (Array.isArray(item)) {
      line.text = await tokenizer.decode(item, false);
      line.text_plain = await tokenizer.decode(item, true);
    } else {
      line.ids = (await tokenizer.encode(item, null, { addSpecialTokens: true })).getIds();
      line.ids_plain = (await tokenizer.encode(item, null, { addSpecialTokens: false })).getIds();
    }
  } catch (error) {
    line.error = String(error);
  }
  fs.writeSync(1, JSON.stringify(line) + '\n');
}
