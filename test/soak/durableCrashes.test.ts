// A Durable engine killed again and again under load: two hundred seeds instead of ten, each with more kills and load.
process.env['CRASH_SEEDS'] = '200';
await import('../local/durable/crash.test.ts');
