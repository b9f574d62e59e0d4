"""JSON of files and of API requests, row by row: exact numbers, and limits that hold before anything is built."""
