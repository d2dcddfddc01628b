// Ids of the reference implementation, one JSON line per text.
// usage: node reference_tokenizer.mjs NODE_MODULES TOKENIZER_JSON TEXTS_JSON; each line has "ids" and "ids_plain", or
// "error".
import { createRequire } from 'module';
import fs from 'fs';

const [modules, file, texts] = process.argv.slice(2);
const { Tokenizer } = createRequire(`${modules}/`)('@anush008/tokenizers');
const tokenizer = Tokenizer.fromFile(file);
for (const text of JSON.parse(fs.readFileSync(texts, 'utf8'))) {
  const line = {};
  try {
    line.ids = (await tokenizer.encode(text, null, { addSpecialTokens: true })).getIds();
    line.ids_plain = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
  } catch (error) {
    line.error = String(error);
  }
  fs.writeSync(1, JSON.stringify(line) + '\n');
}
