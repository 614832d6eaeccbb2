// The capstan command has no API; it runs from main.ts.
export {};
