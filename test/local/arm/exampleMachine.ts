// What a registered image of the tests runs: it notes every start with what it was given, and stays.
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const {
  LANDFALL_STATE_DIR = '',
  LANDFALL_CUSTOM_DATA = '',
  LANDFALL_EXTRA = '',
  SECRET_OF_THE_HOST = 'none',
} = process.env;
const customData = readFileSync(LANDFALL_CUSTOM_DATA, 'utf8');
appendFileSync(
  join(LANDFALL_STATE_DIR, 'starts'),
  `${process.pid} ${customData} ${LANDFALL_EXTRA} ${SECRET_OF_THE_HOST}\n`,
);
setInterval(() => undefined, 60_000);
